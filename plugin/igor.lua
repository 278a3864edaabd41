-- The commands that need neither setup() nor Python.
if not vim.g.loaded_igor then
  vim.g.loaded_igor = true
  require('igor.command').define()
end
