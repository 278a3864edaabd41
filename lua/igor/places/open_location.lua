-- Open a location from output in a window for files: the one that the user came from, never the
-- window of the output.
local openable = require('igor.places.openable')

local M = {}

--- Return whether the window may show a file.
local function is_for_files(win)
  local buf = vim.api.nvim_win_get_buf(win)
  return vim.api.nvim_win_get_config(win).relative == ''
    and not vim.wo[win].winfixbuf
    and not vim.wo[win].previewwindow
    and (vim.bo[buf].buftype == '' or vim.b[buf].igor_remote ~= nil)
end

--- Return the window that the user came from, else another of this tab page; nil if none may show a
--- file.
local function target()
  local candidates = { vim.fn.win_getid(vim.fn.winnr('#')), unpack(vim.api.nvim_tabpage_list_wins(0)) }
  return vim.iter(candidates):find(function(win)
    return win ~= 0 and is_for_files(win)
  end)
end

--- Open a new window above all others.
local function new_window(buf)
  return vim.api.nvim_open_win(buf, true, { split = 'above', win = -1 })
end

--- Enter a window for files and show `buf` in it.
---@param how 'here'|'split'|'tab'
local function show(buf, how)
  local win = target()
  if how == 'tab' then
    vim.cmd('tab sbuffer ' .. buf)
  elseif not win then
    new_window(buf)
  else
    vim.api.nvim_set_current_win(win)
    vim.cmd("normal! m'")
    vim.cmd((how == 'split' and 'sbuffer ' or 'buffer ') .. buf)
  end
end

local function put_cursor(line, column)
  local buf = vim.api.nvim_get_current_buf()
  if vim.b[buf].igor_remote then
    require('igor.places.remote_file').when_read(buf, { line, column })
  else
    local last = vim.api.nvim_buf_line_count(buf)
    vim.api.nvim_win_set_cursor(0, { math.min(line, last), math.max(column - 1, 0) })
  end
  vim.cmd('normal! zv')
end

--- Return the buffer for a name: igor://… belongs to the project in `root` and its host group.
--- Throw one sentence if the name may not be opened.
local function buffer_of(name, root, group)
  openable.insist(name, root)
  if vim.startswith(name, 'igor://') then
    return require('igor.places.remote_file').buffer(name, root, group, false)
  end
  return vim.fn.bufadd(require('igor.project').shown(name))
end

--- Show the file `path` of the project in a new window, which `command` opens: 'tabnew' or 'new'.
---@param path string
---@param root string
---@param command 'tabnew'|'new'
function M.edit(path, root, command)
  local buf = buffer_of(path, root)
  openable.check(buf, root)
  vim.cmd(command)
  vim.bo.bufhidden = 'wipe'
  vim.bo[buf].buflisted = true
  vim.cmd('buffer ' .. buf)
end

--- Open `name`, a path or an igor:// address of the project in `root` and its host group (nil:
--- unknown). Throw the problem if Vim ("E37: …") or igor ("… is no regular file") refuses.
---@param place { name: string, line: integer, column: integer }  0 if unknown
---@param how 'here'|'split'|'tab'
---@param root string
---@param group string|nil
function M.open(place, how, root, group)
  local buf = buffer_of(place.name, root, group)
  vim.bo[buf].buflisted = true
  openable.check(buf, root)
  show(buf, how)
  if place.line > 0 then
    put_cursor(place.line, place.column)
  end
end

return M
