-- Convert a program's output to lines: one Screen for each host and stream, fed with chunks that
-- may be cut anywhere.
--
-- A line grows at its end as plain text. Only when a program goes back in it (carriage return,
-- backspace, erase) is it split into cells, one for each character, until its newline; so neither
-- plain logs nor progress bars are ever processed twice.
local ansi = require('igor.ui.ansi')

---@class IgorScreen
---@field host string|nil
local Screen = {}
Screen.__index = Screen

-- The longest line; a longer one is cut, since a program may write megabytes without a newline.
local MAX_LINE = 8192
-- The longest escape sequence; anything longer is not taken for one.
local MAX_ESCAPE = 4096

---@return IgorScreen
function Screen.new()
  return setmetatable({ text = '', spans = {}, style = ansi.plain, unread = '' }, Screen)
end

---@class IgorLine
---@field text string
---@field spans table[]  { first byte, byte after the last, style }, counted from 0

--- Process `data`; call emit(line) for each line that it completes.
---@param data string
---@param emit fun(line: IgorLine)
function Screen:feed(data, emit)
  data = self.unread .. data
  self.unread = ''
  local at, size = 1, #data
  while at <= size do
    local control = data:find('[%z\1-\8\10-\31\127]', at)
    if control ~= at then
      self:print(data:sub(at, (control or size + 1) - 1), emit)
    end
    if not control then
      return
    end
    at = self:control(data, control, emit)
  end
end

--- Return the line that has no newline yet, or nil if it is empty.
function Screen:open_line()
  local line = self:line()
  return line.text ~= '' and line or nil
end

--- Emit the rest: the stream has ended.
---@param emit fun(line: IgorLine)
function Screen:finish(emit)
  if self:open_line() then
    self:newline(emit)
  end
end

function Screen:line()
  if self.cells then
    self:join_cells()
  end
  return { text = self.text, spans = self.spans }
end

---@param emit fun(line: IgorLine)
function Screen:newline(emit)
  emit(self:line())
  self.text, self.spans, self.cells, self.cursor = '', {}, nil, nil
end

--- Handle the control character at `at`. Return the position to continue at.
---@param data string
---@param at integer
---@param emit fun(line: IgorLine)
function Screen:control(data, at, emit)
  local byte = data:byte(at)
  if byte == 10 then
    self:newline(emit)
  elseif byte == 13 then
    self:carriage_return()
  elseif byte == 8 then
    self:split_cells()
    self.cursor = math.max(0, self.cursor - 1)
  elseif byte == 27 then
    return self:escape(data, at)
  end
  return at + 1
end

--- Handle the escape sequence at `at`. An unfinished one waits for the next chunk.
---@param data string
---@param at integer
function Screen:escape(data, at)
  local kind = data:sub(at + 1, at + 1)
  local after
  if kind == '[' then
    local parameters, final
    parameters, final, after = data:match('^([0-?]*)[ -/]*([@-~])()', at + 2)
    if final == 'm' and not parameters:find('[<=>?]') then
      self.style = ansi.sgr(self.style, parameters)
    elseif final == 'K' then
      self:erase(tonumber(parameters) or 0)
    elseif not final and data:find('^[ -?]*[^ -?]', at + 2) then
      after = at + 2
    end
  elseif kind ~= '' and (']P^_X'):find(kind, 1, true) then
    after = data:match('^[^\7\27]*\7()', at + 2) or data:match('^.-\27\\()', at + 2)
  else
    after = data:match('^[ -/]*[0-~]()', at + 1) or data:find('^[^ -~]', at + 1)
  end
  if after then
    return after
  elseif #data - at > MAX_ESCAPE then
    return at + 1
  end
  self.unread = data:sub(at)
  return #data + 1
end

--- Write plain text at the cursor.
---@param run string
---@param emit fun(line: IgorLine)
function Screen:print(run, emit)
  while #run > 0 do
    local room = MAX_LINE - (self.cursor or #self.text)
    local part = #run <= room and run or run:sub(1, room)
    if self.cursor then
      self:split_cells()
      self:overwrite(part)
    else
      self:append(part)
    end
    run = run:sub(#part + 1)
    if #part == room then
      self:newline(emit)
    end
  end
end

---@param run string
function Screen:append(run)
  local from, last = #self.text, self.spans[#self.spans]
  self.text = self.text .. run
  if self.style == ansi.plain then
    return
  elseif last and last[2] == from and last[3] == self.style then
    last[2] = #self.text
  else
    self.spans[#self.spans + 1] = { from, #self.text, self.style }
  end
end

--- Don't split the line yet, only when something overwrites it: most often a newline follows.
function Screen:carriage_return()
  if self.text ~= '' or self.cells then
    self.cursor = 0
  end
end

--- EL: erase to the end of the line (0), from its start (1) or all of it (2).
---@param part 0|1|2
function Screen:erase(part)
  self:split_cells()
  if part == 1 then
    for i = 1, math.min(self.cursor + 1, #self.cells) do
      self.cells[i] = { ' ', ansi.plain }
    end
    return
  end
  for i = #self.cells, (part == 2 and 0 or self.cursor) + 1, -1 do
    self.cells[i] = nil
  end
end

--- Split the line into cells. The cursor is at its end unless moved before.
function Screen:split_cells()
  if self.cells then
    return
  end
  self.cells = {}
  local span = 1
  for at, character in self.text:gmatch('()([^\128-\191]?[\128-\191]*)') do
    while self.spans[span] and self.spans[span][2] < at do
      span = span + 1
    end
    local found = self.spans[span]
    if character ~= '' then
      local style = found and found[1] < at and found[3] or ansi.plain
      self.cells[#self.cells + 1] = { character, style }
    end
  end
  self.cursor = self.cursor or #self.cells
end

---@param run string
function Screen:overwrite(run)
  local cells = self.cells
  for character in run:gmatch('[^\128-\191]?[\128-\191]*') do
    if character ~= '' then
      while #cells < self.cursor do
        cells[#cells + 1] = { ' ', ansi.plain }
      end
      self.cursor = self.cursor + 1
      cells[self.cursor] = { character, self.style }
    end
  end
end

--- Set text and spans from the cells, which are kept until the newline.
function Screen:join_cells()
  local parts, spans, size = {}, {}, 0
  for i, cell in ipairs(self.cells) do
    parts[i] = cell[1]
    local last = spans[#spans]
    if last and last[2] == size and last[3] == cell[2] then
      last[2] = size + #cell[1]
    elseif cell[2] ~= ansi.plain then
      spans[#spans + 1] = { size, size + #cell[1], cell[2] }
    end
    size = size + #cell[1]
  end
  self.text, self.spans = table.concat(parts), spans
end

return Screen
