-- gf and gF in text from a host: the agent resolves which file a path in it means.
local agent = require('igor.client')
local notice = require('igor.ui.notice')
local openable = require('igor.places.openable')

local M = {}

local ERROR = vim.log.levels.ERROR

-- The most rows of a terminal to join into one line of output.
local MOST_ROWS = 50

local KEYS = {
  { 'gf', 'here', false, 'open the file under the cursor' },
  { 'gF', 'here', true, 'open the file under the cursor at its line' },
  { '[f', 'here', false, 'open the file under the cursor' },
  { ']f', 'here', false, 'open the file under the cursor' },
  { '<C-w>f', 'split', false, 'open the file under the cursor in a split' },
  { '<C-w><C-f>', 'split', false, 'open the file under the cursor in a split' },
  { '<C-w>F', 'split', true, 'open the file under the cursor at its line in a split' },
  { '<C-w>gf', 'tab', false, 'open the file under the cursor in a tab page' },
  { '<C-w>gF', 'tab', true, 'open the file under the cursor at its line in a tab page' },
}

local function row(number)
  return vim.api.nvim_buf_get_lines(0, number - 1, number, false)[1] or ''
end

--- Return whether a terminal's row continues in the next one: only wrapped rows are full.
local function is_cut(number, width)
  return number >= 1 and vim.fn.strdisplaywidth(row(number)) >= width
end

--- Return the line of output under the cursor, and the cursor's position in it in characters, from
--- 0. A terminal wraps long lines into rows; they are joined again.
local function under_cursor()
  local number, byte = unpack(vim.api.nvim_win_get_cursor(0))
  local text = row(number)
  local column = vim.fn.strchars(text:sub(1, byte))
  if vim.bo.buftype ~= 'terminal' then
    return text, column
  end
  local info = vim.fn.getwininfo(vim.api.nvim_get_current_win())[1]
  local width = info.width - info.textoff
  local first, last = number, number
  while number - first < MOST_ROWS and is_cut(first - 1, width) do
    first = first - 1
  end
  while last - number < MOST_ROWS and is_cut(last, width) do
    last = last + 1
  end
  local before = table.concat(vim.api.nvim_buf_get_lines(0, first - 1, number - 1, false))
  local whole = table.concat(vim.api.nvim_buf_get_lines(0, first - 1, last, false))
  return whole, vim.fn.strchars(before) + column
end

--- Return the host that a line of output is from: the host of the whole output, else the one that
--- begins the line, else the only one of the group; nil if unknown.
local function host_of(text, its, here)
  local names = require('igor.project').groups(here.root)[here.group or 'dev'] or {}
  local said = text:match('^(%S+) *│ ')
  return its.igor_host or vim.tbl_contains(names, said) and said or #names == 1 and names[1] or nil
end

--- Return the line number after a name in the text, 0 if there is none.
local function line_after(name, text)
  local pattern = vim.pesc(name)
  return tonumber(text:match(pattern .. '%W+line (%d+)') or text:match(pattern .. ':(%d+)')) or 0
end

--- Return whether Vim may look for a host's path in the local files: only if the path can't leave
--- the directories that Vim searches. Vim would accept an address as a file, and would expand
--- variables.
local function is_for_vim(path)
  return not path:find('^[/~]') and not path:find('[$%c]') and not openable.is_address(path)
    and not vim.tbl_contains(vim.split(path, '/', { plain = true }), '..')
end

--- Return what a path means that the agent does not know, nil if nothing; and the path. An absolute
--- path is the host's, even if the same path exists locally; others are left to Vim's own gf.
local function unknown(text, its, here)
  local path = vim.fn.expand('<cfile>'):gsub('[.,]+$', '')
  local name = vim.startswith(path, 'igor://') and path or nil
  if path:find('^/[^/]') then
    local host = host_of(text, its, here)
    name = host and ('igor://%s%s'):format(host, path)
  elseif path ~= '' and not name and is_for_vim(path) then
    local ok, found = pcall(vim.fn.findfile, path)
    name = ok and found ~= '' and vim.fn.fnamemodify(found, ':p') or nil
  end
  return name and { name = name, line = line_after(path, text), column = 0 }, path
end

local function say(text)
  notice.say(text, ERROR)
end

local function open(place, how, at_line, here)
  if not at_line then
    place.line = 0
  end
  local ok, err = pcall(require('igor.places.open_location').open, place, how, here.root, here.group)
  if not ok then
    say((tostring(err):gsub('^.-(E%d+:)', '%1')))
  end
end

--- Open the file that the agent found under the cursor, else the one that the path means without
--- the agent.
---@param outcome IgorOutcome
local function answered(outcome, own, word, how, at_line, here)
  if outcome.status ~= 0 and not own then
    say(outcome.error)
  elseif type(outcome.data) == 'table' then
    open(outcome.data, how, at_line, here)
  elseif own then
    open(own, how, at_line, here)
  elseif openable.is_address(word) then
    say(('%s: only igor:// addresses are opened from the text of a host'):format(word))
  elseif word ~= '' then
    say(('%s: no file of the project, nor of its hosts'):format(word))
  else
    say('no path is under the cursor')
  end
end

--- Open the file whose path is under the cursor.
---@param how 'here'|'split'|'tab'
---@param at_line boolean  whether to go to the line number in the text
---@param its table  igor_root, igor_group and igor_host of the text
function M.go(how, at_line, its)
  local win, buf = vim.api.nvim_get_current_win(), vim.api.nvim_get_current_buf()
  local text, column = under_cursor()
  local here = { root = its.igor_root or require('igor.project').place(), group = its.igor_group }
  local own, word = unknown(text, its, here)
  local args = { line = text, column = column, host = its.igor_host, group = here.group }
  agent.request('locate', here.root, args, function(outcome)
    vim.schedule(function()
      -- Don't open it if the user has gone elsewhere meanwhile.
      if vim.api.nvim_get_current_win() == win and vim.api.nvim_get_current_buf() == buf then
        answered(outcome, own, word, how, at_line, here)
      end
    end)
  end)
end

--- Leave Visual mode, with the cursor at the start of the selection.
local function leave_selection()
  local from, to = vim.fn.getpos('v'), vim.fn.getpos('.')
  local is_before = from[2] < to[2] or from[2] == to[2] and from[3] < to[3]
  local first = is_before and from or to
  vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
  vim.api.nvim_win_set_cursor(0, { first[2], first[3] - 1 })
end

--- Map gf, gF and their variants for splits and tab pages in a buffer with text from hosts: Vim's
--- own would open addresses of any kind. They take the path under the cursor or in the selection.
---@param buf integer
---@param whose? fun(): table|nil  igor_root, igor_group and igor_host (nil with several hosts) of the
--- text, by default the buffer's variables; nil if the text is no host's, and the keys are Vim's
--- own
function M.map(buf, whose)
  whose = whose or function()
    return vim.b[buf]
  end
  for _, key in ipairs(KEYS) do
    local keys, how, at_line, desc = unpack(key)
    local options = { buffer = buf, desc = 'igor: ' .. desc }
    vim.keymap.set({ 'n', 'x' }, keys, function()
      local its = whose()
      if not its then
        vim.api.nvim_feedkeys(vim.keycode(keys), 'n', false)
        return
      end
      if vim.fn.mode() ~= 'n' then
        leave_selection()
      end
      M.go(how, at_line, its)
    end, options)
  end
end

return M
