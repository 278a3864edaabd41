-- Find the pytest test around a line of a Python file, without a parser: it suffices to know where
-- statements begin, and which strings and brackets extend over several lines.
local M = {}

--- The column after the string that begins at `at`; its delimiter too if it continues in the next
--- line.
---@return integer
---@return string|nil
local function after_string(line, at)
  local quote = line:sub(at, at)
  local delimiter = line:sub(at, at + 2) == quote:rep(3) and quote:rep(3) or quote
  local from = at + #delimiter
  while true do
    local stop = line:find('[\\' .. quote .. ']', from)
    if not stop then
      return #line + 1, #delimiter == 3 and delimiter or nil
    elseif line:sub(stop, stop) == '\\' then
      from = stop + 2
    elseif line:sub(stop, stop + #delimiter - 1) == delimiter then
      return stop + #delimiter
    else
      from = stop + 1
    end
  end
end

--- The state after a line: depth in brackets, delimiter of an open string, whether a backslash
--- continues the line.
local function read(line, depth, string)
  local at = 1
  if string then
    -- As if the string began just before this line.
    at, string = after_string(string .. line, 1)
    at = at - 3
    if string then
      return depth, string, false
    end
  end
  while true do
    at = line:find('[#\'"%(%)%[%]{}\\]', at)
    if not at or line:sub(at, at) == '#' then
      return depth, nil, false
    end
    local found = line:sub(at, at)
    if found == '"' or found == "'" then
      at, string = after_string(line, at)
      if string then
        return depth, string, false
      end
    elseif found == '\\' then
      if at == #line then
        return depth, nil, true
      end
      at = at + 1
    else
      depth = math.max(0, depth + (found:find('[%(%[{]') and 1 or -1))
      at = at + 1
    end
  end
end

--- The statements of a file: line, indent, and text of their first line.
local function statements(lines)
  local found, depth, string, continues = {}, 0, nil, false
  for number, line in ipairs(lines) do
    if depth == 0 and not string and not continues and line:find('^%s*[^%s#]') then
      local indent = vim.fn.strdisplaywidth(line:match('^%s*'))
      found[#found + 1] = { line = number, indent = indent, text = vim.trim(line) }
    end
    depth, string, continues = read(line, depth, string)
  end
  return found
end

local function definition(text)
  local class = text:match('^class%s+([^%s%(:%[]+)')
  local name = text:match('^def%s+([^%s%(%[]+)') or text:match('^async%s+def%s+([^%s%(%[]+)')
  return class or name, class ~= nil
end

--- The index of the statement at the cursor; for a decorator, of what it decorates.
local function at_cursor(all, line)
  local index
  for i, statement in ipairs(all) do
    if statement.line <= line then
      index = i
    end
  end
  while index and all[index].text:find('^@') and all[index + 1] do
    index = index + 1
  end
  return index
end

--- pytest's name of the test or test class around a line, e.g. "::TestLoss::test_nan"; "" at the top
--- level of the file, nil in any other function.
---@param lines string[]
---@param line integer  from 1
---@return string|nil
function M.around(lines, line)
  local all = statements(lines)
  local index = at_cursor(all, line)
  local name, indent = '', math.huge
  for i = index or 0, 1, -1 do
    local statement = all[i]
    local defined, is_class = definition(statement.text)
    if statement.indent < indent then
      if defined and not is_class then
        -- A function in a test belongs to the test; a method that is no test ends the search.
        name = vim.startswith(defined, 'test') and '::' .. defined or nil
      elseif defined then
        name = '::' .. defined .. (name or '')
      end
      indent = statement.indent
    end
  end
  return name
end

return M
