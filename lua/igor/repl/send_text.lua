-- Encode text for a REPL as bytes: as a bracketed paste if the program understands that, else as if
-- typed.
local send_python = require('igor.repl.send_python')

local M = {}

local OPEN, CLOSE = '\27[200~', '\27[201~'
-- The byte of the Return key; in a paste, terminals send it as the end of a line.
local RETURN = '\r'

local SPACE, TAB, DELETE = 32, 9, 127
-- The first UTF-8 byte of the control characters U+0080 to U+009F, and of other characters.
local C1 = 194

---@class IgorBlock
---@field lines string[]  see clean()
---@field is_python boolean

--- Return whether the line may have control characters. Check bytes, since LuaJIT compiles this
--- loop but no pattern.
local function is_suspect(line)
  for at = 1, #line do
    local byte = line:byte(at)
    if byte < SPACE and byte ~= TAB or byte == DELETE or byte == C1 then
      return true
    end
  end
  return false
end

--- Return the lines without trailing CRs, and without control characters except tabs: those would
--- act as keys and could end the paste. Also return the number of removed characters.
---@param lines string[]
function M.clean(lines)
  local left_out, cleaned = 0, {}
  for i, line in ipairs(lines) do
    if is_suspect(line) then
      local ascii, c1
      line = line:gsub('\r+$', '')
      line, ascii = line:gsub('[%z\1-\8\10-\31\127]', '')
      line, c1 = line:gsub('\194[\128-\159]', '')
      left_out = left_out + ascii + c1
    end
    cleaned[i] = line
  end
  return cleaned, left_out
end

--- Return the lines without the blank ones at both ends.
local function trimmed(lines)
  local first, last = 1, #lines
  while first <= last and not lines[first]:find('%S') do
    first = first + 1
  end
  while last >= first and not lines[last]:find('%S') do
    last = last - 1
  end
  return vim.list_slice(lines, first, last)
end

local function pasted(lines, is_python)
  local text = table.concat(lines, RETURN)
  -- In a block of several lines, Return inserts a line, except after an empty line.
  local finish = is_python and send_python.goes_on(lines) and RETURN or ''
  return OPEN .. text .. finish .. CLOSE .. RETURN
end

--- Return the bytes to send to a program.
---@param block IgorBlock
---@param takes_pastes boolean
---@param plain boolean  whether the text must be fit to be typed, even in a paste
function M.encode(block, takes_pastes, plain)
  local lines = trimmed(block.lines)
  if block.is_python then
    lines = send_python.dedent(lines)
    if plain or not takes_pastes then
      lines = send_python.typed(lines)
    end
  end
  if takes_pastes then
    return pasted(lines, block.is_python)
  end
  return table.concat(lines, RETURN) .. RETURN
end

return M
