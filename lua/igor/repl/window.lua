-- The window of a REPL: a split, or the window that already shows it.
local M = {}

local SPLIT = { below = 'height', above = 'height', left = 'width', right = 'width' }

local function is_of_a_repl(win)
  return vim.b[vim.api.nvim_win_get_buf(win)].igor_repl ~= nil
end

--- Return a window of this tab page that shows `buf`, or nil.
---@param buf integer
function M.of(buf)
  return vim.iter(vim.api.nvim_tabpage_list_wins(0)):find(function(win)
    return vim.api.nvim_win_get_buf(win) == buf
  end)
end

local function dress(win)
  local options = vim.wo[win][0]
  options.number, options.relativenumber, options.list, options.spell = false, false, false, false
  options.signcolumn, options.foldcolumn, options.statuscolumn = 'no', '0', ''
  options.scrolloff, options.sidescrolloff = 0, 0
end

--- Return a size in columns or lines; below 1, it is a fraction of the editor.
local function extent(side, size)
  local whole = side == 'height' and vim.o.lines or vim.o.columns
  return math.max(1, math.floor(size < 1 and size * whole or size))
end

local function split(buf)
  local wanted = require('igor.options').current.repl
  local position = SPLIT[wanted.position] and wanted.position or 'below'
  local side = SPLIT[position]
  return vim.api.nvim_open_win(buf, false, {
    split = position,
    win = -1,
    [side] = extent(side, wanted.size),
  })
end

--- Show `buf` and return its window. It replaces a REPL on display that has ended.
---@param buf integer
function M.show(buf)
  local win = M.of(buf)
  if not win then
    win = vim.iter(vim.api.nvim_tabpage_list_wins(0)):find(function(one)
      return is_of_a_repl(one) and vim.b[vim.api.nvim_win_get_buf(one)].igor_repl.state == 'ended'
    end)
    if win then
      vim.api.nvim_win_set_buf(win, buf)
    else
      win = split(buf)
    end
    dress(win)
  end
  return win
end

--- Enter the window, ready to type, unless the user is typing something else.
---@param win integer
function M.enter(win)
  if vim.api.nvim_get_mode().mode:find('^[nt]') and vim.fn.getcmdwintype() == '' then
    vim.api.nvim_set_current_win(win)
    vim.cmd.startinsert()
  end
end

return M
