-- What :IgorDebug acts on: Neovim evaluates it when the command is given.
local project = require('igor.project')

local M = {}

--- The project's file in the window, a path in the project, and the test that the cursor is in.
local function under_cursor()
  local root, file = project.locate_buffer(0)
  if not root then
    return '', ''
  end
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local line = vim.api.nvim_win_get_cursor(0)[1]
  local name = require('igor.debug.python_test').around(lines, line)
  return file, name and file .. name or ''
end

--- `problem` where no front end is here; `ask` and `place` are those of |igor-unwritten|. With
--- Vimspector its file is written too, for what it does without :IgorDebug.
function M.place()
  local where = require('igor.command.unwritten').place()
  local root = project.root(where.place)
  where.file, where.test = under_cursor()
  where.programs = project.debug_programs(root)
  where.last = require('igor.debug').last(root or where.place) or vim.empty_dict()
  local front, problem, hint = require('igor.debug.front').choose()
  where.vimspector = front == require('igor.debug.vimspector')
  where.problem, where.hint = problem or '', hint or ''
  return where
end

return M
