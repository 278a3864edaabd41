-- A front end starts from a window that shows a file of the project: there it finds its configuration
-- and opens what it shows.
local project = require('igor.project')

local M = {}

local function shows_file_of(win, root)
  local its = project.locate_buffer(vim.api.nvim_win_get_buf(win))
  return its == root and vim.api.nvim_win_get_config(win).relative == ''
end

--- Go to such a window: this one, one of this tab page, any; else open `file` in a new one. Whether
--- there is one.
---@param root string
---@param file string|nil  a path in the project
function M.enter(root, file)
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
  local path = file and root .. '/' .. file
  if path and vim.uv.fs_stat(path) then
    vim.cmd.split({ args = { vim.fn.fnameescape(path) }, mods = { split = 'topleft' } })
    return true
  end
  return false
end

return M
