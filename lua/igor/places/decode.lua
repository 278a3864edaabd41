-- Convert the bytes of a host's file to lines of a buffer.
local M = {}

-- Number of bytes handled at once.
local SLICE = 131072

local function no_pause() end

-- Number of bytes that follow the first byte of a character (RFC 3629).
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

local function from_latin1(bytes)
  -- Don't use iconv(): it would stop at a NUL.
  return (bytes:gsub('[\128-\255]', function(byte)
    return vim.fn.nr2char(byte:byte(), true)
  end))
end

--- Split the content into pieces of whole lines.
local function pieces_of(content)
  local pieces, from = {}, 1
  while from <= #content do
    local last = content:find('\n', from + SLICE, true) or #content
    pieces[#pieces + 1] = content:sub(from, last)
    from = last + 1
  end
  return pieces
end

local function all(items, holds, pause)
  for _, item in ipairs(items) do
    if not holds(item) then
      return false
    end
    pause()
  end
  return true
end

local function ends_with_return(line)
  return line:sub(-1) == '\r'
end

--- Decode UTF-8, else Latin 1. Return the lines, and the options that describe their ends.
---@param content string
---@param pause fun()|nil  called every few milliseconds
---@return string[] lines
---@return { endofline: boolean, fileformat: string }
function M.lines(content, pause)
  pause = pause or no_pause
  local lines = {}
  local pieces = pieces_of((content:gsub('^\239\187\191', '')))
  local recode = not all(pieces, is_utf8, pause)
  for _, piece in ipairs(pieces) do
    piece = recode and from_latin1(piece) or piece
    piece = piece:gsub('\n$', '')
    vim.list_extend(lines, vim.split(piece, '\n', { plain = true }))
    pause()
  end
  local dos = #lines > 0 and ends_with_return(lines[1]) and all(lines, ends_with_return, no_pause)
  if dos then
    for i, line in ipairs(lines) do
      lines[i] = line:sub(1, -2)
    end
  end
  local complete = content == '' or content:sub(-1) == '\n'
  return lines, { endofline = complete, fileformat = dos and 'dos' or 'unix' }
end

return M
