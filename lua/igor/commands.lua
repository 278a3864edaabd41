-- The commands as rplugin/python3/igor_nvim.py declares them, for setup() to register: a test holds
-- the two equal. The flags are there too, for completion.
local M = {}

local PLACE = "v:lua.require'igor.leave'.place()"
-- For a command that runs what the files say.
local RUN_PLACE = "v:lua.require'igor.unwritten'.place()"
local DIFF_PLACE = "v:lua.require'igor.diff'.place()"
local COMPLETE = "customlist,v:lua.require'igor.complete'.command"

local function command(name, opts)
  opts.complete = COMPLETE
  return { type = 'command', name = name, sync = false, opts = opts }
end

M.specs = {
  command('IgorBuild', { nargs = '*', bang = '', bar = '', eval = PLACE }),
  command('IgorCancel', { nargs = '?', bang = '', bar = '' }),
  command('IgorClean', { nargs = '*', bar = '', eval = PLACE }),
  command('IgorDiff', { nargs = '*', bar = '', eval = DIFF_PLACE }),
  command('IgorExec', { nargs = '1', eval = RUN_PLACE }),
  command('IgorOutput', { nargs = '?', bar = '' }),
  command('IgorPush', { nargs = '*', bang = '', bar = '', eval = PLACE }),
  command('IgorSetup', { nargs = '*', bang = '', bar = '', eval = PLACE }),
}

M.flags = {
  push = { '--dry-run', '--force', '--allow-deletes', '--take-over' },
  diff = { '--ours', '--theirs', '--yes' },
  build = { '--force', '--no-cache' },
  setup = { '--force' },
  clean = { '--images' },
  exec = { '--no-push', '--setup' },
}

return M
