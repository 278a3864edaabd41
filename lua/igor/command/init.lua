-- The commands as rplugin/python3/igor_nvim.py declares them, for setup() to register: a test holds
-- the two equal. The flags are there too, for completion.
local M = {}

local PLACE = "v:lua.require'igor.command.exit_guard'.place()"
-- For a command that runs what the files say.
local RUN_PLACE = "v:lua.require'igor.command.unwritten'.place()"
-- Puts aside what is to be sent. Neovim expands a command twice, the first time it is given.
local SEND = "v:lua.require'igor.repl.send'.hold(<lt>line1>, <lt>line2>, '<lt>bang>')"
local DIFF_PLACE = "v:lua.require'igor.diff'.place()"
-- The same, with what is under the cursor and what was debugged last.
local DEBUG_PLACE = "v:lua.require'igor.debug.command'.place()"
local COMPLETE = "customlist,v:lua.require'igor.command.complete'.command"

local function command(name, opts)
  opts.complete = COMPLETE
  return { type = 'command', name = name, sync = false, opts = opts }
end

M.specs = {
  command('IgorAttach', { nargs = '*', bar = '', eval = PLACE }),
  command('IgorBuild', { nargs = '*', bang = '', bar = '', eval = PLACE }),
  command('IgorCancel', { nargs = '?', bang = '', bar = '' }),
  command('IgorClean', { nargs = '*', bar = '', eval = PLACE }),
  command('IgorDebug', { nargs = '?', bang = '', eval = DEBUG_PLACE }),
  command('IgorDiff', { nargs = '*', bar = '', eval = DIFF_PLACE }),
  command('IgorExec', { nargs = '1', eval = RUN_PLACE }),
  command('IgorInput', { nargs = '?', bang = '' }),
  command('IgorOutput', { nargs = '?', bar = '' }),
  command('IgorPush', { nargs = '*', bang = '', bar = '', eval = PLACE }),
  command('IgorRepl', { nargs = '?', bang = '', eval = RUN_PLACE }),
  command('IgorRun', { nargs = '?', eval = RUN_PLACE }),
  command('IgorSend', { nargs = '?', range = '', bang = '', bar = '', eval = SEND }),
  command('IgorSetup', { nargs = '*', bang = '', bar = '', eval = PLACE }),
  command('IgorStack', { nargs = '*', bar = '', eval = PLACE }),
  command('IgorVimspector', { nargs = '?', bar = '', eval = PLACE }),
  command('IgorVscode', { nargs = '?', bar = '', eval = PLACE }),
}

M.flags = {
  push = { '--dry-run', '--force', '--allow-deletes', '--take-over' },
  diff = { '--ours', '--theirs', '--yes' },
  build = { '--force', '--no-cache' },
  setup = { '--force' },
  clean = { '--images' },
  exec = { '--no-push', '--setup' },
  run = { '--no-push', '--setup' },
  repl = { '--no-push', '--end' },
  attach = { '--force' },
  stack = {},
  vimspector = { '--print' },
  vscode = { '--print' },
}

-- They are not all the same here and on the command line.
M.debug_options = { '--ranks', '--reattach', '--no-push', '--test', '-m', '--host', '-g' }

return M
