-- Neovim's init file in the demo: this checkout's igor, and nothing of the user's.
local checkout = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h')
vim.opt.runtimepath:prepend(checkout)
vim.opt.number = true
vim.g.mapleader = ' '
pcall(vim.cmd.helptags, checkout .. '/doc')
require('igor').setup({ keymaps = true })

local WIDTH = 42

--- The guide stays beside the code, or above it where the screen is narrow.
local function show_guide()
  local code = vim.api.nvim_get_current_win()
  local wide = vim.o.columns >= 2 * WIDTH + 20
  vim.cmd(wide and ('botright %dvsplit'):format(WIDTH) or 'topleft 10split')
  vim.cmd.edit(vim.env.IGOR_DEMO_GUIDE)
  for name, value in pairs({ number = false, wrap = true, linebreak = true, winfixwidth = true }) do
    vim.api.nvim_set_option_value(name, value, { scope = 'local' })
  end
  vim.bo.modifiable, vim.bo.buflisted = false, false
  vim.api.nvim_set_current_win(code)
end

vim.api.nvim_create_autocmd('VimEnter', { once = true, nested = true, callback = show_guide })
