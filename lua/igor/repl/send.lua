-- Send text from a buffer to the REPL of its project.
local notice = require('igor.ui.notice')
local project = require('igor.project')
local send_text = require('igor.repl.send_text')

local M = {}

local WARN, ERROR = vim.log.levels.WARN, vim.log.levels.ERROR

local function block(buf, lines)
  local cleaned, left_out = send_text.clean(lines)
  if left_out > 0 then
    notice.say(('send: %d control characters were left out'):format(left_out), WARN)
  end
  return { lines = cleaned, is_python = vim.bo[buf].filetype == 'python' }
end

---@param repl IgorRepl
local function put(repl, text)
  if repl.terminal.state ~= 'lost' then
    return repl.queue:put(text)
  end
  local told = '%s: not sent: the connection was lost; r in its window starts again'
  notice.say(told:format(repl.title), ERROR)
end

--- Send lines of a buffer to the REPL of the project in `root`; open one if there is none.
local function send(root, buf, lines)
  if not root then
    return notice.say('send: this is not in a project of igor: igor init', ERROR)
  end
  local text = block(buf, lines)
  if not vim.iter(text.lines):any(function(line)
    return line:find('%S') ~= nil
  end) then
    return notice.say('send: there is nothing to send here')
  end
  -- Schedule it: it may open a window, and this code may run inside a call for another window.
  vim.schedule(function()
    require('igor.repl').some(root, function(repl)
      put(repl, text)
    end)
  end)
end

--- Send lines of text to the REPL of the current project.
---@param lines string[]
function M.lines(lines)
  send(project.root(project.place()), 0, lines)
end

local function get(buf, first, last)
  return vim.api.nvim_buf_get_lines(buf, first - 1, last, false)
end

--- Return the lines of the cell around `row`, and the line that begins the next cell.
local function cell(buf, row)
  local first, last, after = require('igor.repl.send_cells').around(buf, row)
  return get(buf, first, last), after
end

--- Send the current cell. Return the line that begins the next one.
function M.cell()
  local lines, after = cell(0, vim.fn.line('.'))
  M.lines(lines)
  return after
end

--- Send the current cell, and go to the next one.
function M.cell_and_move()
  local after = M.cell()
  if after then
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { math.min(after + 1, vim.api.nvim_buf_line_count(0)), 0 })
  end
end

function M.file()
  M.lines(get(0, 1, -1))
end

--- Send the current line, or as many lines as the count says.
function M.line()
  local row = vim.fn.line('.')
  M.lines(get(0, row, row + vim.v.count1 - 1))
end

--- Send the text between two marks; `kind` is as for 'operatorfunc' and Visual mode.
local function region(from, to, kind)
  local lines = vim.fn.getregion(vim.fn.getpos(from), vim.fn.getpos(to), { type = kind })
  M.lines(lines)
end

--- Called by 'operatorfunc'.
---@param kind 'line'|'char'|'block'
function M.operated(kind)
  local types = { line = 'V', char = 'v', block = '\22' }
  region("'[", "']", types[kind])
end

--- Return the operator that sends, for a mapping with `expr`.
function M.operator()
  vim.o.operatorfunc = "v:lua.require'igor.repl.send'.operated"
  return 'g@'
end

--- Send the selection and leave Visual mode.
function M.selection()
  region('v', '.', vim.fn.mode())
  vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
end

--- :IgorSend
---@param word string  one of the choices in the table of verbs, or ''
---@param is_whole boolean  whether it was given with `!`
---@param given { line1: integer, line2: integer }  range of the command
function M.command(word, is_whole, given)
  local lines
  if word == '' or word == 'line' then
    lines = is_whole and get(0, 1, -1) or get(0, given.line1, given.line2)
  elseif word == 'cell' then
    lines = cell(0, given.line1)
  elseif word == 'file' then
    lines = get(0, 1, -1)
  else
    local known = table.concat(require('igor.command.generated').verbs.send.choices, ', ')
    return notice.say(('send: %s is unknown (known: %s)'):format(word, known), ERROR)
  end
  M.lines(lines)
end

return M
