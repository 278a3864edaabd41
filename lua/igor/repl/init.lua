-- REPLs: each is a terminal that runs a program in the container of one host.
local exit_guard = require('igor.command.exit_guard')
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')
local terminals = require('igor.repl.terminal')
local windows = require('igor.repl.window')

local M = {}

local WARN, ERROR = vim.log.levels.WARN, vim.log.levels.ERROR
-- The same rule as in igor_core/cli/job.py: a word with other characters is a line for the remote
-- shell.
local PLAIN = '^[%w@%%+=:,./_%s-]+$'

---@class IgorRepl
---@field terminal IgorTerminal
---@field root string
---@field host string  '' if its group has only one
---@field command string
---@field queue IgorQueue
---@field title string
---@field key string
---@field is_persistent boolean
---@field is_mapped boolean|nil

---@type IgorRepl[]  most recently used last
local repls = {}
--- The key of a project's command → the host that the user chose for it.
local chosen = {}

--- Return a command as words; a line for a shell is one word.
local function words_of(command)
  if type(command) == 'table' then
    return command
  end
  command = vim.trim(command or '')
  if command == '' then
    return {}
  end
  return command:find(PLAIN) and vim.split(command, '%s+') or { command }
end

local function key_of(root, args)
  local words = table.concat(words_of(args.command), '\0')
  return table.concat({ vim.uv.fs_realpath(root) or root, args.group or 'dev', words }, '\0')
end

--- Return igor's command line as a list: the one of this checkout, whatever the working directory.
local function igor()
  local installed = require('igor.directories').checkout .. '/.venv/bin/igor'
  if vim.fn.executable(installed) == 1 then
    return { installed }
  end
  local start = 'import sys; sys.path[0] = sys.argv.pop(1); '
    .. 'from igor_core.cli.entry import main; sys.exit(main())'
  return { require('igor.python').of_agent(), '-E', '-c', start, require('igor.directories').checkout }
end

local function argv(root, args)
  local found = vim.list_extend(igor(), { '-C', root, 'docker', 'repl' })
  for _, option in ipairs({ { '--host-group', args.group }, { '--host', args.host } }) do
    vim.list_extend(found, option[2] and option or {})
  end
  vim.list_extend(found, args.no_push and { '--no-push' } or {})
  local words = words_of(args.command)
  return vim.list_extend(found, #words > 0 and { '--', unpack(words) } or {})
end

local function hosts(root, group)
  return project.groups(root)[group or 'dev'] or {}
end

--- Return the command that starts a REPL in the current project, or nil outside of a project.
---@param command string|string[]|nil
---@param args { group: string|nil, host: string|nil }|nil
function M.command(command, args)
  local root = project.root(project.place())
  if not root then
    return
  end
  args = vim.tbl_extend('keep', { command = command }, args or {})
  local several = #hosts(root, args.group) > 1
  args.host = args.host or several and chosen[key_of(root, args)] or nil
  return argv(root, args)
end

local function title(root, args)
  local host = args.host or hosts(root, args.group)[1] or args.group or 'dev'
  local words = table.concat(words_of(args.command), ' ')
  local configured = project.config(root).repl_cmd
  local program = words ~= '' and words or type(configured) == 'string' and configured or 'python'
  return ('%s/%s/%s'):format(vim.fs.basename(root), host, (program:gsub('%c', ' ')))
end

--- Return a buffer name that no other buffer has.
local function free_name(text)
  local name, number = 'igor-repl://' .. text, 1
  while vim.fn.bufexists(name) == 1 do
    number = number + 1
    name = ('igor-repl://%s (%d)'):format(text, number)
  end
  return name
end

---@param repl IgorRepl
local function is_open(repl)
  return repl.terminal.state ~= 'ended' and vim.api.nvim_buf_is_valid(repl.terminal.buf)
end

---@param repl IgorRepl
local function use(repl)
  repls = vim.tbl_filter(function(one)
    return one ~= repl and is_open(one)
  end, repls)
  repls[#repls + 1] = repl
end

--- Return the project's most recently used REPL, or nil if it has none.
---@param root string
function M.last(root)
  root = vim.uv.fs_realpath(root) or root
  return vim.iter(repls):rev():find(function(repl)
    return repl.root == root and is_open(repl)
  end)
end

local function find(key)
  return vim.iter(repls):rev():find(function(repl)
    return repl.key == key and is_open(repl)
  end)
end

---@param repl IgorRepl
local function again(repl)
  if repl.terminal.state == 'lost' then
    terminals.write(repl.terminal, 'r')
  end
end

--- Map the key that starts a lost REPL again in normal mode too.
---@param repl IgorRepl
local function map_again(repl, is_lost)
  local buf = repl.terminal.buf
  if is_lost then
    vim.keymap.set('n', 'r', function()
      again(repl)
    end, { buffer = buf, desc = 'igor: connect again', nowait = true })
  elseif repl.is_mapped then
    pcall(vim.keymap.del, 'n', 'r', { buffer = buf })
  end
  repl.is_mapped = is_lost
end

---@param repl IgorRepl
local function say_lost(repl)
  terminals.scroll(repl.terminal)
  notice.say(('%s: the connection was lost; r in its window starts again'):format(repl.title), WARN)
end

--- Leave terminal mode: otherwise the next key would close the terminal whose program has ended,
--- and its text would be lost.
local function stop_typing(buf)
  if vim.api.nvim_get_current_buf() == buf and vim.api.nvim_get_mode().mode == 't' then
    vim.cmd.stopinsert()
  end
end

---@param repl IgorRepl
local function end_of(repl)
  local terminal = repl.terminal
  vim.bo[terminal.buf].buflisted = false
  if terminal.status ~= 0 then
    stop_typing(terminal.buf)
  end
end

---@param repl IgorRepl
local function told(repl)
  local terminal = repl.terminal
  if vim.api.nvim_buf_is_valid(terminal.buf) then
    local known = vim.b[terminal.buf].igor_repl
    local was = known.state
    known.state = terminal.state
    vim.b[terminal.buf].igor_repl = known
    map_again(repl, terminal.state == 'lost')
    if terminal.state ~= was then
      vim.cmd.redrawstatus({ bang = true })
    end
    if terminal.state == 'lost' then
      say_lost(repl)
    elseif terminal.state == 'ended' then
      end_of(repl)
    end
  end
  repl.queue:look()
end

local function start(root, args)
  local text = title(root, args)
  local repl = { root = vim.uv.fs_realpath(root) or root, title = text }
  repl.is_persistent = project.config(root).repl_persist == true
  local buf = vim.api.nvim_create_buf(true, false)
  vim.b[buf].igor_root = root
  vim.b[buf].igor_group, vim.b[buf].igor_host = args.group, args.host
  require('igor.places').map(buf)
  vim.b[buf].igor_repl = {
    root = root, group = args.group or 'dev', host = args.host or '',
    command = table.concat(words_of(args.command), ' '), state = 'starting',
  }
  local ok, win = pcall(windows.show, buf)
  if not ok then
    vim.api.nvim_buf_delete(buf, { force = true })
    error(win, 0)
  end
  repl.terminal = terminals.start(win, argv(root, args), free_name(text), function(terminal)
    repl.terminal = terminal
    told(repl)
  end)
  repl.queue = require('igor.repl.queue').new(repl)
  vim.b[buf].term_title = text
  -- Typing in a REPL makes it the most recently used one; passing through its window does not.
  vim.api.nvim_create_autocmd('TermEnter', {
    buffer = buf,
    callback = function()
      use(repl)
    end,
  })
  use(repl)
  return repl, win
end

--- Ask which host to use; `done` is not called if the user chooses none.
local function choose(root, args, done)
  local names = hosts(root, args.group)
  local key = key_of(root, args)
  -- Use the earlier choice only if the config still has that host.
  args.host = args.host or vim.tbl_contains(names, chosen[key]) and chosen[key] or nil
  if args.host or #names < 2 then
    chosen[key] = args.host
    return done()
  end
  local release = readiness.watch_keys()
  readiness.when(readiness.can_ask, function()
    release()
    if chosen[key] then -- chosen meanwhile, for an earlier command
      args.host = chosen[key]
      return done()
    end
    vim.ui.select(names, { prompt = 'REPL on which host?' }, function(name)
      if name then
        args.host, chosen[key] = name, name
        done()
      end
    end)
  end)
end

--- Show the REPL of that command, or start it, as soon as the editor allows opening windows.
---@param root string
---@param args { command: string|nil, group: string|nil, host: string|nil, no_push: boolean|nil }
---@param new boolean  start another even if one runs
---@param done function  called with the REPL and its window
local function show(root, args, new, done)
  choose(root, args, function()
    readiness.persist(function()
      readiness.check()
      local key = key_of(root, args) .. '\0' .. (args.host or '')
      local repl = not new and find(key)
      if repl then
        return done(repl, windows.show(repl.terminal.buf))
      end
      local ok, started, win = pcall(start, root, args)
      if not ok then
        local why = tostring(started):gsub('^.-(E%d+:)', '%1')
        return notice.say(('repl: no window for it: %s'):format(why), ERROR)
      end
      started.key = key
      done(started, win)
    end)
  end)
end

--- Use the project's most recently used REPL; start one if there is none.
---@param root string
---@param done fun(repl: IgorRepl, win: integer|nil)
function M.some(root, done)
  local repl = M.last(root)
  if repl then
    return done(repl)
  end
  show(root, {}, false, done)
end

--- :IgorRepl; the bridge has parsed the command.
---@param place string
---@param args table
---@param new boolean
function M.open(place, args, new)
  exit_guard.heard()
  local root = project.root(place)
  if not root then
    return notice.say(('repl: %s is not in a project of igor: igor init'):format(place), ERROR)
  end
  if args.hosts and #args.hosts > 1 then
    return notice.say('repl: a REPL runs on one host; name one by --host', ERROR)
  end
  local wanted = { command = args.shell, group = args.group, no_push = args.no_push }
  wanted.host = args.hosts and args.hosts[1]
  show(root, wanted, new, function(repl, win)
    use(repl)
    windows.enter(win)
  end)
end

return M
