-- A front end starts from a window that shows a file of the project: there it finds its configuration
-- and opens what it shows.
local open_location = require('igor.places.open_location')
local project = require('igor.project')

local M = {}

local function shows_file_of(win, root)
  local its = project.locate_buffer(vim.api.nvim_win_get_buf(win))
  return its == root and vim.api.nvim_win_get_config(win).relative == ''
end

--- The file of the program that a job debugs, as a path in its project; nil where it has none there.
---@param root string
---@param args table  of the job
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

--- Go to such a window: this one, one of this tab page, any; else open the file of what a job debugs
--- in a new one, without one the config. Whether there is one.
---@param root string
---@param args table|nil  of the job
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
