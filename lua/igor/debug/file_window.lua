-- The window from which a front end starts. It must show a file of the project: the front end looks
-- for its configuration beside that file, and opens source files in that window.
local open_location = require('igor.places.open_location')
local project = require('igor.project')

local M = {}

local function shows_file_of(win, root)
  local its = project.locate_buffer(vim.api.nvim_win_get_buf(win))
  return its == root and vim.api.nvim_win_get_config(win).relative == ''
end

--- The file of the program that a job debugs, as a path in the project; nil if it has none.
---@param root string
---@param args table  the job's arguments
---@return string|nil
local function file_of(root, args)
  local file = args.program or args.test and args.test:gsub('::.*', '')
  if args.name then
    local debug = project.config(root).debug
    local programs = type(debug) == 'table' and debug.programs
    local its = type(programs) == 'table' and programs[args.name]
    file = type(its) == 'table' and its.program or nil
  end
  return type(file) == 'string' and vim.uv.fs_stat(root .. '/' .. file) and file or nil
end

--- Go to such a window: the current one, one of this tab page, any other; else open the debugged file
--- or the config in a new window. Return false if neither exists.
---@param root string
---@param args table|nil  the job's arguments
---@return boolean
function M.enter(root, args)
  root = vim.uv.fs_realpath(root) or root
  local windows = { vim.api.nvim_get_current_win() }
  vim.list_extend(windows, vim.api.nvim_tabpage_list_wins(0))
  vim.list_extend(windows, vim.api.nvim_list_wins())
  for _, win in ipairs(windows) do
    if shows_file_of(win, root) then
      vim.api.nvim_set_current_win(win)
      return true
    end
  end
  local path = root .. '/' .. (args and file_of(root, args) or '.igor/config.json')
  if vim.uv.fs_stat(path) then
    open_location.edit(path, root, 'topleft new')
    return true
  end
  return false
end

return M
