-- Text on its way to a REPL, as bytes: in the brackets of a paste where the program understands
-- them, else as if it was typed.
local send_python = require('igor.repl.send_python')

local M = {}

local OPEN, CLOSE = '\27[200~', '\27[201~'
-- What the Return key sends; in a paste, what terminals send for the end of a line.
local RETURN = '\r'

local SPACE, TAB, DELETE = 32, 9, 127
-- The first byte of the control characters from U+0080 to U+009F, and of other characters.
local C1 = 194

---@class IgorBlock
---@field lines string[]  see clean()
---@field is_python boolean

--- Whether there may be control characters. Byte by byte, which is compiled; a pattern is not.
local function is_suspect(line)
  for at = 1, #line do
    local byte = line:byte(at)
    if byte < SPACE and byte ~= TAB or byte == DELETE or byte == C1 then
      return true
    end
  end
  return false
end

--- Lines without their trailing CRs and without control characters but tabs: those would act as
--- keys, and end the paste. A second result counts what was left out.
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

--- Without the blank lines at both ends.
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
  -- In a block of several lines Return goes to the next one, but behind an empty line.
  local finish = is_python and send_python.goes_on(lines) and RETURN or ''
  return OPEN .. text .. finish .. CLOSE .. RETURN
end

--- The bytes for a program.
---@param block IgorBlock
---@param takes_pastes boolean
---@param plain boolean  whether the text must be fit to be typed, in brackets or not
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
