-- What :IgorDebug acts on; Neovim evaluates `place` when the command is given.
local project = require('igor.project')

local M = {}

--- The window's file, as a path in the project, and pytest's name of the test at the cursor; '' for
--- what does not exist.
---@return string file
---@return string test
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

---@class IgorDebugPlace
---@field place string  a path in the project
---@field ask boolean  whether to ask about unwritten buffers first
---@field file string  the window's file, '' without one
---@field test string  the test at the cursor, '' without one
---@field programs string[]  names of the config's programs
---@field last table  arguments of the last debugged program, empty without one
---@field vimspector boolean  whether to write .vimspector.json too, for Vimspector without igor
---@field problem string  why no front end can be used, '' if one can
---@field hint string

---@return IgorDebugPlace
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
