-- The keys: none is mapped unless the user asks for it.
local M = {}

M.defaults = {
  push = '<leader>ip',
  build = '<leader>idb',
  clean = '<leader>idc',
  setup = '<leader>ids',
  debug = '<leader>ig',
  debug_test = '<leader>it',
  debug_last = '<leader>il',
  repl = '<leader>ir',
  send = '<leader>is',
}

local commands = {
  push = 'IgorPush',
  build = 'IgorBuild',
  clean = 'IgorClean',
  setup = 'IgorSetup',
  output = 'IgorOutput',
  cancel = 'IgorCancel',
  debug = 'IgorDebug',
  debug_test = 'IgorDebug --test',
  debug_last = 'IgorDebug!',
  input = 'IgorInput',
  repl = 'IgorRepl',
  run = 'IgorRun',
}

--- Actions on text: the name of the <Plug> mapping and its modes.
local plugs = {
  send = { '<Plug>(igor-send)', { 'n', 'x' } },
  send_line = { '<Plug>(igor-send-line)', { 'n' } },
  send_cell = { '<Plug>(igor-send-cell)', { 'n' } },
  send_cell_move = { '<Plug>(igor-send-cell-move)', { 'n' } },
  send_file = { '<Plug>(igor-send-file)', { 'n' } },
}

local function names()
  return vim.list_extend(vim.tbl_keys(commands), vim.tbl_keys(plugs))
end

local function map(name, keys)
  local plug = plugs[name]
  if plug then
    vim.keymap.set(plug[2], keys, plug[1], { desc = 'igor: ' .. name:gsub('_', ' ') })
  else
    vim.keymap.set('n', keys, '<Cmd>' .. commands[name] .. '<CR>', { desc = 'igor: ' .. name })
  end
end

--- Define the <Plug> mappings, for users to map keys to.
function M.define()
  local function define(modes, name, does, expr)
    vim.keymap.set(modes, '<Plug>(igor-' .. name .. ')', does, { expr = expr, desc = 'igor: ' .. name })
  end
  local function sends(what)
    return function()
      return require('igor.repl.send')[what]()
    end
  end
  define('n', 'send', sends('operator'), true)
  define('x', 'send', sends('selection'))
  define('n', 'send-line', sends('line'))
  define('n', 'send-cell', sends('cell'))
  define('n', 'send-cell-move', sends('cell_and_move'))
  define('n', 'send-file', sends('file'))
end

--- Map the keys of `wanted`: true, false, or a table of name = keys. Return a list of its problems.
function M.set(wanted)
  local problems = {}
  if not wanted then
    return problems
  end
  for name, keys in pairs(wanted == true and M.defaults or wanted) do
    if not commands[name] and not plugs[name] then
      local near = require('igor.options').nearest(tostring(name), names())
      local hint = near and ("; did you mean '%s'?"):format(near) or ''
      problems[#problems + 1] = ('setup{}: unknown name keymaps.%s%s'):format(name, hint)
    elseif type(keys) ~= 'string' then
      problems[#problems + 1] = ('setup{}: keymaps.%s must be keys in a string'):format(name)
    else
      map(name, keys)
    end
  end
  return problems
end

return M
