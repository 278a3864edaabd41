-- Text on its way to a REPL, as bytes: in the brackets of a paste where the program understands
-- them, else as if it was typed.
local send_python = require('igor.send_python')

local M = {}

local OPEN, CLOSE = '\27[200~', '\27[201~'
-- What the Return key sends; in a paste, what terminals send for the end of a line.
local RETURN = '\r'

---@class IgorBlock
---@field lines string[]  see clean()
---@field is_python boolean

--- Lines without their trailing CRs and without control characters but tabs: those would act as
--- keys, and end the paste. A second result counts what was left out.
---@param lines string[]
function M.clean(lines)
  local left_out, cleaned = 0, {}
  for i, line in ipairs(lines) do
    line = line:gsub('\r+$', '')
    local ascii, c1
    line, ascii = line:gsub('[%z\1-\8\10-\31\127]', '')
    line, c1 = line:gsub('\194[\128-\159]', '')
    cleaned[i], left_out = line, left_out + ascii + c1
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
---@param by_proxy boolean  what announced pastes is not the program: tmux drops the brackets where
--- the program in it has not asked for them, so the text must do without
function M.encode(block, takes_pastes, by_proxy)
  local lines = trimmed(block.lines)
  if block.is_python then
    lines = send_python.dedent(lines)
    if by_proxy or not takes_pastes then
      lines = send_python.typed(lines)
    end
  end
  if takes_pastes then
    return pasted(lines, block.is_python)
  end
  return table.concat(lines, RETURN) .. RETURN
end

return M
