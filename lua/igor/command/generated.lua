-- Made by `make generate` from igor_core/commands/table.py. Do not edit.
local M = {}

---@class IgorVerb  a verb; absent fields mean no
---@field command? string  its command in Neovim
---@field options? string[]  the options of that command, by their first spelling
---@field values? table<string, string>  option → what its value is: "group", "host" …
---@field acts_on_hosts? boolean  hosts of a group can be chosen
---@field operand? string  what follows the options, as in igor_core/commands/table.py
---@field completes? string  what the operand is: "process", "held back", "job" …
---@field choices? string[]  all that the operand can be
---@field takes_line? boolean  the rest of the line is the operand
---@field pushes? boolean  pushes first, unless told not to
---@field ends_with_client? boolean  is cancelled when the editor goes
---@field debugs? boolean  a debugger attaches to what it starts

---@class IgorCommandSpec  a command of the remote plugin, as in its manifest
---@field type string
---@field name string
---@field sync boolean
---@field opts table<string, string>

---@class IgorLuaCommand  a command that Lua does alone
---@field name string
---@field module string
---@field function_name string
---@field opts table<string, any>

---@type table<string, IgorVerb>
M.verbs = {
  push = {
    command = 'IgorPush',
    acts_on_hosts = true,
    pushes = true,
    options = { '-g', '--host', '--dry-run', '--force', '--allow-deletes', '--take-over' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
  },
  diff = {
    command = 'IgorDiff',
    acts_on_hosts = true,
    ends_with_client = true,
    options = { '-g', '--host', '--ours', '--theirs', '--yes' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'paths',
    completes = 'held back',
  },
  build = {
    command = 'IgorBuild',
    acts_on_hosts = true,
    pushes = true,
    options = { '-g', '--host', '--force', '--no-cache' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
  },
  clean = {
    command = 'IgorClean',
    acts_on_hosts = true,
    options = { '-g', '--host', '--images' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
  },
  setup = {
    command = 'IgorSetup',
    acts_on_hosts = true,
    pushes = true,
    options = { '-g', '--host', '--force' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
  },
  exec = {
    command = 'IgorExec',
    acts_on_hosts = true,
    pushes = true,
    ends_with_client = true,
    options = { '-g', '--host', '--no-push', '--setup' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'command',
    completes = 'file',
    takes_line = true,
  },
  run = {
    command = 'IgorRun',
    acts_on_hosts = true,
    pushes = true,
    ends_with_client = true,
    options = { '-g', '--host', '--no-push', '--setup' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'program',
    completes = 'file',
    takes_line = true,
  },
  debug = {
    command = 'IgorDebug',
    acts_on_hosts = true,
    pushes = true,
    ends_with_client = true,
    debugs = true,
    options = { '-g', '--host', '-m', '--test', '--ranks', '--reattach', '--no-push' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
      ['-m'] = 'text',
      ['--ranks'] = 'text',
    },
    operand = 'debugged',
    completes = 'file',
    takes_line = true,
  },
  repl = {
    command = 'IgorRepl',
    acts_on_hosts = true,
    pushes = true,
    ends_with_client = true,
    options = { '-g', '--host', '--no-push', '--end' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'command',
    completes = 'file',
    takes_line = true,
  },
  attach = {
    command = 'IgorAttach',
    acts_on_hosts = true,
    ends_with_client = true,
    debugs = true,
    options = { '-g', '--host', '--force' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'pid',
    completes = 'process',
  },
  stack = {
    command = 'IgorStack',
    acts_on_hosts = true,
    ends_with_client = true,
    options = { '-g', '--host' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
    operand = 'pid',
    completes = 'process',
  },
  gpus = {
    command = 'IgorGpus',
    acts_on_hosts = true,
    ends_with_client = true,
    options = { '-g', '--host' },
    values = {
      ['-g'] = 'group',
      ['--host-group'] = 'group',
      ['--host_group'] = 'group',
      ['--host'] = 'host',
    },
  },
  vimspector = {
    command = 'IgorVimspector',
    options = { '--print' },
    values = {},
  },
  vscode = {
    command = 'IgorVscode',
    options = { '--print' },
    values = {},
  },
  trust = {},
  status = {},
  doctor = {
    acts_on_hosts = true,
  },
  jobs = {},
  cancel = {
    command = 'IgorCancel',
    options = {},
    values = {},
    operand = 'job',
    completes = 'job',
  },
  ['agent-status'] = {},
  ['agent-stop'] = {},
  processes = {
    ends_with_client = true,
  },
  locate = {},
  read = {},
  watch = {
    ends_with_client = true,
  },
  send = {
    command = 'IgorSend',
    options = {},
    values = {},
    operand = 'what',
    choices = { 'cell', 'file', 'line' },
  },
  input = {
    command = 'IgorInput',
    options = {},
    values = {},
  },
  output = {
    command = 'IgorOutput',
    options = {},
    values = {},
    operand = 'job',
    completes = 'job',
  },
}

---@type IgorCommandSpec[]
M.specs = {
  {
    type = 'command',
    name = 'IgorAttach',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorBuild',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bang = '',
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorClean',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorDebug',
    sync = false,
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.debug.command'.place()",
      bang = '',
    },
  },
  {
    type = 'command',
    name = 'IgorDiff',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.diff'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorExec',
    sync = false,
    opts = {
      nargs = '1',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.unwritten'.place()",
    },
  },
  {
    type = 'command',
    name = 'IgorGpus',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorPush',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bang = '',
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorRepl',
    sync = false,
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.unwritten'.place()",
      bang = '',
    },
  },
  {
    type = 'command',
    name = 'IgorRun',
    sync = false,
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.unwritten'.place()",
    },
  },
  {
    type = 'command',
    name = 'IgorSetup',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bang = '',
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorStack',
    sync = false,
    opts = {
      nargs = '*',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorVimspector',
    sync = false,
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
  {
    type = 'command',
    name = 'IgorVscode',
    sync = false,
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      eval = "v:lua.require'igor.command.exit_guard'.place()",
      bar = '',
    },
  },
}

---@type IgorLuaCommand[]
M.lua_commands = {
  {
    name = 'IgorCancel',
    module = 'igor.job.list',
    function_name = 'cancel',
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      bang = true,
      bar = true,
    },
  },
  {
    name = 'IgorInput',
    module = 'igor.job.input',
    function_name = 'command',
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      bang = true,
    },
  },
  {
    name = 'IgorOutput',
    module = 'igor.job.list',
    function_name = 'show',
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      bar = true,
    },
  },
  {
    name = 'IgorSend',
    module = 'igor.repl.send',
    function_name = 'command',
    opts = {
      nargs = '?',
      complete = "customlist,v:lua.require'igor.command.complete'.command",
      bang = true,
      bar = true,
      range = true,
    },
  },
}

---@type string[]  the verbs that open their output when they start
M.opening = { 'push', 'build', 'clean', 'setup', 'exec', 'run', 'debug', 'stack', 'gpus' }

return M
