-- The init file of the tests: this checkout's igor, and nothing of the user's.
local checkout = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h')
vim.opt.runtimepath:prepend(checkout)
vim.opt.swapfile = false
vim.opt.shadafile = 'NONE'
vim.g.mapleader = ' '
if vim.env.IGOR_TEST_SETUP ~= 'none' then
  require('igor').setup(vim.json.decode(vim.env.IGOR_TEST_SETUP or '{}'))
end
