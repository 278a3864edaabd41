-- The keys: off unless asked for.
local M = {}

M.defaults = {
  push = '<leader>ip',
  build = '<leader>idb',
  clean = '<leader>idc',
  setup = '<leader>ids',
}

local commands = {
  push = 'IgorPush',
  build = 'IgorBuild',
  clean = 'IgorClean',
  setup = 'IgorSetup',
  output = 'IgorOutput',
  cancel = 'IgorCancel',
}

--- Map the keys of `wanted`: true, false, or a table of name = keys. Returns what is wrong with it.
function M.set(wanted)
  local problems = {}
  if not wanted then
    return problems
  end
  for name, keys in pairs(wanted == true and M.defaults or wanted) do
    local command = commands[name]
    if not command then
      local near = require('igor.options').nearest(tostring(name), vim.tbl_keys(commands))
      local hint = near and ("; did you mean '%s'?"):format(near) or ''
      problems[#problems + 1] = ('setup{}: unknown name keymaps.%s%s'):format(name, hint)
    elseif type(keys) ~= 'string' then
      problems[#problems + 1] = ('setup{}: keymaps.%s must be keys in a string'):format(name)
    else
      vim.keymap.set('n', keys, '<Cmd>' .. command .. '<CR>', { desc = 'igor: ' .. name })
    end
  end
  return problems
end

return M
