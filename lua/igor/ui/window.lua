-- The split that shows the output of a job: at most one in each tab page.
local readiness = require('igor.ui.readiness')

local M = {}

--- Return the windows whose cursor is on the buffer's last line, except one with a selection.
---@param buf integer
function M.followers(buf)
  local last = vim.api.nvim_buf_line_count(buf)
  local selecting = vim.fn.mode():find('^[vVsS\22\19]') and vim.api.nvim_get_current_win()
  return vim.tbl_filter(function(win)
    return win ~= selecting and vim.api.nvim_win_get_cursor(win)[1] == last
  end, vim.fn.win_findbuf(buf))
end

--- Move the cursors of `windows` to the end again.
---@param windows integer[]
function M.follow(windows)
  for _, win in ipairs(windows) do
    local last = vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(win))
    vim.api.nvim_win_set_cursor(win, { last, 0 })
  end
end

--- Return the window of this tab page that shows a job's output, or nil.
local function find()
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.bo[vim.api.nvim_win_get_buf(win)].filetype == 'igor' then
      return win
    end
  end
end

local function dress(win)
  local options = vim.wo[win][0]
  options.number, options.relativenumber, options.list, options.spell = false, false, false, false
  options.signcolumn, options.foldcolumn, options.winfixheight = 'no', '0', true
  options.winfixbuf = true -- :cnext in this window must open files in another one
end

local function show(buf)
  local win = find()
  if win then
    vim.wo[win][0].winfixbuf = false
    vim.api.nvim_win_set_buf(win, buf)
  else
    local height = require('igor.options').current.output.height
    win = vim.api.nvim_open_win(buf, false, { split = 'below', win = -1, height = height })
  end
  if not vim.w[win].igor_borrowed then
    dress(win)
  end
  M.follow({ win })
end

--- Show `buf` in another plugin's window, and leave the window's options as they are.
---@param win integer
---@param buf integer
function M.borrow(win, buf)
  vim.w[win].igor_borrowed = true
  vim.api.nvim_win_set_buf(win, buf)
  M.follow({ win })
end

--- Show `buf` in the split as soon as the editor allows opening windows. The cursor stays in its
--- window.
---@param buf integer
function M.open(buf)
  readiness.persist(function()
    if vim.api.nvim_buf_is_loaded(buf) then
      show(buf)
    end
  end)
end

--- Close the current window, unless it is another plugin's; the job continues. If it is the
--- editor's last window, show an empty buffer in it.
function M.close()
  if vim.w.igor_borrowed then
    return
  elseif not pcall(vim.api.nvim_win_close, 0, true) then
    vim.wo[0][0].winfixbuf = false
    vim.cmd.enew()
  end
end

return M
