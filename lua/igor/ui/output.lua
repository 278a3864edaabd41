-- The output of one job: a buffer that grows at its end.
--
-- Rows that can't change any more are committed to the buffer once. Below them are the rows that
-- still change: lines without a newline yet, and one row of progress for each host.
local ansi = require('igor.ui.ansi')
local Screen = require('igor.ui.screen')
local window = require('igor.ui.window')

---@class IgorOutput
---@field progress table<string, IgorRow>
---@field fresh IgorRow[]
local Output = {}
Output.__index = Output

local namespace = vim.api.nvim_create_namespace('igor_output')

---@class IgorRow
---@field text string
---@field prefix string|nil  names the host, once the row is added
---@field group string|nil  highlight group of the whole row
---@field spans table[]|nil  { from, to, style } within the text

---@param name string  the buffer's name
---@param root string  root of the project that commands in the buffer act on
---@param hosts string[]  hosts of the job; if there are several, each line begins with its host
---@return IgorOutput
function Output.new(name, root, hosts)
  local self = setmetatable({
    fresh = {}, -- rows to commit with the next flush
    committed = 0, -- rows of the buffer that stay as they are
    screens = {}, -- one for each host and stream, in order of appearance
    progress = {}, -- the row of each host
    hosts = {},
    count = 0, -- number of hosts
    width = 0, -- width of the longest host name
  }, Output)
  self.buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(self.buf, name)
  local options = vim.bo[self.buf]
  options.bufhidden, options.undolevels, options.tabstop = 'hide', -1, 8
  options.filetype, options.modifiable, options.modeline = 'igor', false, false
  vim.b[self.buf].igor_root = root
  vim.keymap.set('n', 'q', window.close, { buffer = self.buf, desc = 'igor: close the output' })
  for _, host in ipairs(hosts) do
    self:meet(host)
  end
  return self
end

--- Add a host. From the second on, rows begin with the name of their host.
---@param host string
function Output:meet(host)
  if host == '' or self.hosts[host] then
    return
  end
  self.hosts[host] = true
  self.count = self.count + 1
  self.width = math.max(self.width, vim.fn.strdisplaywidth(host))
  if self.count == 2 and self:is_there() then
    vim.api.nvim_buf_call(self.buf, function()
      vim.cmd([[syntax match IgorHost /^\S\+ *│/]])
    end)
  end
end

---@param host string
function Output:prefix(host)
  if host == '' or self.count < 2 then
    return ''
  end
  return host .. (' '):rep(self.width - vim.fn.strdisplaywidth(host)) .. ' │ '
end

--- Add a row with a message of igor's.
---@param host string
---@param text string
---@param group string|nil
function Output:say(host, text, group)
  self:meet(host)
  for line in vim.gsplit(text, '\n', { plain = true }) do
    self:add(host, { text = line, group = group })
  end
end

--- Add a program's output.
---@param host string
---@param stream string
---@param data string
function Output:write(host, stream, data)
  self:meet(host)
  local screen = self:screen(host, stream)
  screen:feed(data, function(line)
    self:add(host, line)
  end)
end

--- Set the row that shows the progress of a host's transfer; nil removes it.
---@param host string
---@param text string|nil
function Output:set_progress(host, text)
  self:meet(host)
  self.progress[host] = text and { text = text, group = 'IgorProgress' }
end

--- Commit a host's open lines and its progress: the host has ended.
---@param host string
function Output:settle(host)
  for _, screen in ipairs(self.screens) do
    if screen.host == host then
      screen:finish(function(line)
        self:add(host, line)
      end)
    end
  end
  if self.progress[host] then
    self:add(host, self.progress[host])
    self.progress[host] = nil
  end
end

---@param host string
---@param stream string
function Output:screen(host, stream)
  local key = stream .. ' ' .. host
  if not self.screens[key] then
    local screen = Screen.new()
    screen.host = host
    self.screens[key] = screen
    table.insert(self.screens, screen)
  end
  return self.screens[key]
end

---@param host string
---@param row IgorRow
function Output:add(host, row)
  row.prefix = self:prefix(host)
  self.fresh[#self.fresh + 1] = row
end

--- Return the rows that still change, in order of their hosts.
function Output:live()
  local rows = {}
  for _, screen in ipairs(self.screens) do
    local line = screen:open_line()
    if line then
      line.prefix = self:prefix(screen.host)
      rows[#rows + 1] = line
    end
  end
  for _, host in ipairs(vim.fn.sort(vim.tbl_keys(self.progress))) do
    local row = self.progress[host]
    row.prefix = self:prefix(host)
    rows[#rows + 1] = row
  end
  return rows
end

--- Show what was added since the last flush. Throw an error while the editor forbids changes of
--- text (E565); it can then be called again.
function Output:flush()
  if not self:is_there() then
    self.fresh = {}
    return
  end
  local keep = require('igor.options').current.output.lines
  local rows = vim.list_slice(self.fresh, math.max(1, #self.fresh - keep + 1))
  local count = #rows
  vim.list_extend(rows, self:live())
  local followers = window.followers(self.buf)
  vim.bo[self.buf].modifiable = true
  self:replace_tail(rows)
  self.fresh, self.committed = {}, self.committed + count
  self:drop(self.committed - keep)
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
  window.follow(followers)
end

function Output:is_there()
  return vim.api.nvim_buf_is_loaded(self.buf)
end

--- Replace the rows below the committed ones with `rows`.
---@param rows IgorRow[]
function Output:replace_tail(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = row.prefix .. row.text
  end
  vim.api.nvim_buf_clear_namespace(self.buf, namespace, self.committed, -1)
  vim.api.nvim_buf_set_lines(self.buf, self.committed, -1, false, lines)
  for i, row in ipairs(rows) do
    if row.group or row.spans and #row.spans > 0 then
      self:colour(self.committed + i - 1, row)
    end
  end
end

local function mark(buf, line, from, to, group)
  vim.api.nvim_buf_set_extmark(buf, namespace, line, from, { end_col = to, hl_group = group })
end

---@param line integer
---@param row IgorRow
function Output:colour(line, row)
  local indent = #row.prefix
  if row.group then
    mark(self.buf, line, indent, indent + #row.text, row.group)
  end
  for _, span in ipairs(row.spans or {}) do
    local group = ansi.group(span[3])
    if group then
      mark(self.buf, line, indent + span[1], indent + span[2], group)
    end
  end
end

--- Drop the oldest rows, with their marks: those would move to the first remaining row.
---@param excess integer
function Output:drop(excess)
  if excess > 0 then
    vim.api.nvim_buf_clear_namespace(self.buf, namespace, 0, excess)
    vim.api.nvim_buf_set_lines(self.buf, 0, excess, false, {})
    self.committed = self.committed - excess
  end
end

--- Show this output in the split of this tab page. The cursor stays in its window.
function Output:open()
  if self:is_there() then
    window.open(self.buf)
  end
end

function Output:delete()
  if vim.api.nvim_buf_is_valid(self.buf) then
    vim.api.nvim_buf_delete(self.buf, { force = true })
  end
end

return Output
