-- The highlight groups: default links, which a colour scheme or the user may override.
local M = {}

M.links = {
  IgorTitle = 'Title',
  IgorHost = 'Comment',
  IgorStep = 'Directory',
  IgorProgress = 'Special',
  IgorOk = 'DiagnosticOk',
  IgorWarning = 'WarningMsg',
  IgorError = 'ErrorMsg',
  IgorHint = 'DiagnosticHint',
}

local function set()
  for name, link in pairs(M.links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
  require('igor.ui.ansi').redefine()
end

--- Define the groups now, and again after each change of the colour scheme.
function M.define()
  set()
  vim.api.nvim_create_autocmd('ColorScheme', {
    group = vim.api.nvim_create_augroup('igor_highlights', {}),
    callback = set,
  })
end

return M
