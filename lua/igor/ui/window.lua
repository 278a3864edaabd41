-- The split that shows the output of a job: at most one in a tab page.
local readiness = require('igor.ui.readiness')

local M = {}

--- The windows whose cursor is on the buffer's last line, but for one in which text is selected.
---@param buf integer
function M.followers(buf)
  local last = vim.api.nvim_buf_line_count(buf)
  local selecting = vim.fn.mode():find('^[vVsS\22\19]') and vim.api.nvim_get_current_win()
  return vim.tbl_filter(function(win)
    return win ~= selecting and vim.api.nvim_win_get_cursor(win)[1] == last
  end, vim.fn.win_findbuf(buf))
end

--- Bring the cursors of `windows` to the end again.
---@param windows integer[]
function M.follow(windows)
  for _, win in ipairs(windows) do
    local last = vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(win))
    vim.api.nvim_win_set_cursor(win, { last, 0 })
  end
end

--- The window of this tab page that shows a job's output, nil where none does.
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
  options.winfixbuf = true -- :cnext given here goes to another window
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

--- Show `buf` in a window of another plugin's, which stays as that has made it.
---@param win integer
---@param buf integer
function M.borrow(win, buf)
  vim.w[win].igor_borrowed = true
  vim.api.nvim_win_set_buf(win, buf)
  M.follow({ win })
end

--- Show `buf` in the split, as soon as the editor lets windows be opened. The cursor stays.
---@param buf integer
function M.open(buf)
  readiness.persist(function()
    if vim.api.nvim_buf_is_loaded(buf) then
      show(buf)
    end
  end)
end

--- Close the window one is in, unless it is another plugin's; the job goes on. The editor's last window
--- gets an empty buffer.
function M.close()
  if vim.w.igor_borrowed then
    return
  elseif not pcall(vim.api.nvim_win_close, 0, true) then
    vim.wo[0][0].winfixbuf = false
    vim.cmd.enew()
  end
end

return M
