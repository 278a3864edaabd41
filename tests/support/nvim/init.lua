-- The init file of the tests: this checkout's igor, and nothing of the user's.
local checkout = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h:h')
vim.opt.runtimepath:prepend(checkout)
vim.opt.swapfile = false
vim.opt.shadafile = 'NONE'
vim.g.mapleader = ' '
vim.g.python3_host_prog = vim.env.IGOR_TEST_PYTHON
if vim.env.IGOR_TEST_RUNTIME then
  vim.opt.runtimepath:append(vim.env.IGOR_TEST_RUNTIME)
end
if vim.env.IGOR_TEST_AGENT_PYTHON then
  require('igor.python').of_agent = function()
    return vim.env.IGOR_TEST_AGENT_PYTHON
  end
end
if vim.env.IGOR_TEST_SETUP ~= 'none' then
  require('igor').setup(vim.json.decode(vim.env.IGOR_TEST_SETUP))
end
