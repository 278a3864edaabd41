-- The bytes of a file of a host, as a buffer has them.
local M = {}

-- Bytes that follow the first one of a character, by that one (RFC 3629).
local function follow(lead)
  return lead >= 0xC2 and lead < 0xE0 and 1
    or lead >= 0xE0 and lead < 0xF0 and 2
    or lead >= 0xF0 and lead < 0xF5 and 3
    or -1
end

local function is_utf8(bytes)
  if not bytes:find('[\128-\255]') then
    return true
  elseif bytes:find('^[\128-\191]') or bytes:find('[%z\1-\127][\128-\191]') then
    return false
  end
  for lead, rest in bytes:gmatch('([\192-\255])([\128-\191]*)') do
    if follow(lead:byte()) ~= #rest then
      return false
    end
  end
  return true
end

local function as_utf8(bytes)
  -- iconv ends at a NUL.
  return is_utf8(bytes) and bytes or (bytes:gsub('[\128-\255]', function(byte)
    return vim.fn.nr2char(byte:byte(), true)
  end))
end

local function is_dos(lines)
  return #lines > 0
    and vim.iter(lines):all(function(line)
      return line:sub(-1) == '\r'
    end)
end

--- Bytes of UTF-8, else of Latin 1, as lines, and the options that say how they end.
---@param content string
---@return string[] lines
---@return { endofline: boolean, fileformat: string }
function M.lines(content)
  local text = as_utf8(content:gsub('^\239\187\191', ''))
  local lines = vim.split(text, '\n', { plain = true })
  local complete = lines[#lines] == ''
  if complete then
    table.remove(lines)
  end
  local dos = text:find('\r\n', 1, true) and is_dos(lines)
  if dos or text:find('%z') then
    for i, line in ipairs(lines) do
      -- Where Neovim has a NUL in a line, its API has a line break.
      lines[i] = (dos and line:sub(1, -2) or line):gsub('%z', '\n')
    end
  end
  return lines, { endofline = complete, fileformat = dos and 'dos' or 'unix' }
end

return M
