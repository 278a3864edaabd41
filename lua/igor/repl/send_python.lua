-- Prepare Python code for Python's prompt, where an empty line ends a block, and nothing else does.
local M = {}

local TAB_STOP = 8 -- The Python Language Reference, 2.1.8
local OPENERS = {}
for word in ('if for while try with def class async match'):gmatch('%a+') do
  OPENERS[word] = true
end
-- These clauses continue the block before them.
local CLAUSES = { ['else'] = true, elif = true, except = true, finally = true }

---@class IgorPythonLine
---@field text string
---@field begins string|nil  what it begins in: 'string', 'raw' (a raw string), or 'expression' (brackets,
--- or behind a backslash)
---@field tabs table<integer, string>|nil  position of a tab → context, as `begins` or 'code'

local byte = string.byte
local BACKSLASH, HASH, TAB = byte('\\'), byte('#'), byte('\t')
local QUOTES = { [byte('"')] = true, [byte("'")] = true }
local DEPTHS = {}
for character, step in pairs({ ['('] = 1, ['['] = 1, ['{'] = 1, [')'] = -1, [']'] = -1, ['}'] = -1 }) do
  DEPTHS[byte(character)] = step
end

--- Return whether three quotes are at `at`.
local function is_triple(text, at, quote)
  return byte(text, at + 1) == quote and byte(text, at + 2) == quote
end

--- Enter the string that begins at `at`. Return the number of its opening quotes.
local function open_string(state, text, at, quote)
  local prefix = text:sub(math.max(1, at - 2), at - 1):match('%a+$') or ''
  state.quote, state.is_raw = quote, prefix:find('[rR]') ~= nil
  state.is_triple = is_triple(text, at, quote)
  return state.is_triple and 3 or 1
end

--- Return how many characters of a string to skip.
local function step_in_string(state, text, at, character)
  if character == BACKSLASH then
    return 2
  elseif character ~= state.quote or state.is_triple and not is_triple(text, at, character) then
    return 1
  end
  state.quote = nil
  return state.is_triple and 3 or 1
end

local function step_in_code(state, text, at, character)
  local depth = DEPTHS[character]
  if depth then
    state.depth = math.max(0, state.depth + depth)
  elseif QUOTES[character] then
    return open_string(state, text, at, character)
  elseif character == HASH then
    state.in_comment = true
    return #text
  end
  return 1
end

local function place(state)
  if state.quote then
    return state.is_raw and 'raw' or 'string'
  end
  return (state.depth > 0 or state.continued) and 'expression' or nil
end

--- Scan byte by byte: patterns would take ten times as long, and files are long.
local function scan_line(state, text)
  local line = { text = text, begins = place(state) }
  local at, size = 1, #text
  state.in_comment = false
  while at <= size do
    local character = byte(text, at)
    if character == TAB then
      line.tabs = line.tabs or {}
      line.tabs[at] = place(state) or 'code'
      at = at + 1
    elseif state.quote then
      at = at + step_in_string(state, text, at, character)
    else
      at = at + step_in_code(state, text, at, character)
    end
  end
  state.continued = byte(text, size) == BACKSLASH and not state.in_comment
  if state.quote and not state.is_triple and not state.continued then
    state.quote = nil -- unclosed string: Python reports it
  end
  return line
end

---@return IgorPythonLine[]
local function scan(lines)
  local state = { depth = 0 }
  return vim.tbl_map(function(text)
    return scan_line(state, text)
  end, lines)
end

local function is_within(line)
  return line.begins ~= nil
end

local function is_blank(line)
  return not line.text:find('%S')
end

local function is_comment(line)
  return line.text:find('^%s*#') ~= nil
end

--- Return the leading blanks that two texts share.
local function common(a, b)
  local size = 0
  while size < #a and a:byte(size + 1) == b:byte(size + 1) do
    size = size + 1
  end
  return a:sub(1, size)
end

--- Return whether the first statement is indented, and so the whole block.
local function begins_indented(lines)
  for _, line in ipairs(lines) do
    if line:find('^%s*[^%s#]') then
      return line:find('^%s') ~= nil
    end
  end
  return false
end

--- Return the lines without the indentation that all statements share. Strings are unchanged.
---@param lines string[]
function M.dedent(lines)
  if not begins_indented(lines) then
    return lines
  end
  local shared
  local scanned = scan(lines)
  for _, line in ipairs(scanned) do
    if not is_within(line) and not is_blank(line) and not is_comment(line) then
      local indent = line.text:match('^%s*')
      shared = shared and common(shared, indent) or indent
    end
  end
  local size = #(shared or '')
  return vim.tbl_map(function(line)
    if line.begins == 'string' or line.begins == 'raw' or size == 0 then
      return line.text
    end
    return line.text:sub(1 + math.min(size, #line.text:match('^%s*')))
  end, scanned)
end

--- Replace the tabs of a line, since a typed tab would complete. In a string that is not raw, `\t`
--- means the same; in a raw string nothing does, so its tabs stay.
local function without_tabs(line)
  if not line.tabs then
    return line.text
  end
  local parts, column = {}, 0
  local is_indent = line.begins ~= 'string' and line.begins ~= 'raw'
  for at = 1, #line.text do
    local character = line.text:sub(at, at)
    local where = line.tabs[at]
    is_indent = is_indent and character:find('%s') ~= nil
    if where == 'string' then
      character = '\\t'
    elseif where and where ~= 'raw' then
      character = is_indent and (' '):rep(TAB_STOP - column % TAB_STOP) or ' '
    end
    parts[at], column = character, column + #character
  end
  return table.concat(parts)
end

local function first_word(line)
  return line.text:match('^[%a_][%w_]*')
end

--- Return whether a block is open after this line that only an empty line ends.
local function follow(open, line)
  local word = first_word(line)
  if line.text:find('^%s') then
    return true
  end
  return OPENERS[word] or CLAUSES[word] and open or line.text:find('^@') ~= nil
end

--- Return the lines as typed at a prompt that takes one line at a time: no empty line within a
--- block, and one after it. Drop comment lines: an old prompt would continue after them.
---@param lines string[]
function M.typed(lines)
  local typed, open, decorated = {}, false, false
  for _, line in ipairs(scan(lines)) do
    local within = is_within(line)
    if within and line.begins ~= 'expression' then
      typed[#typed + 1] = without_tabs(line)
    elseif not is_blank(line) and not is_comment(line) then
      if not within then
        local ends = open and not decorated and not line.text:find('^%s')
        if ends and not CLAUSES[first_word(line)] then
          typed[#typed + 1] = ''
          open = false
        end
        open = follow(open, line)
        decorated = line.text:find('^@') ~= nil
      end
      typed[#typed + 1] = without_tabs(line)
    end
  end
  if open then
    typed[#typed + 1] = ''
  end
  return typed
end

--- Return whether Return after these lines would insert a line, in a multi-line editor.
---@param lines string[]
function M.goes_on(lines)
  return #lines > 1 or #lines == 1 and follow(false, { text = lines[1] })
end

return M
