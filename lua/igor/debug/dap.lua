-- nvim-dap as the front end. Its own list of configurations offers igor's too, each of which pushes,
-- builds, starts and attaches.
local file_window = require('igor.debug.file_window')

---@type IgorFrontEnd
local M = { title = 'nvim-dap' }

local PATIENCE_MS = 20000
-- Attaching to a process takes seconds, and nvim-dap warns after four.
local ANSWER_SECONDS = 60

---@type table<string, IgorDebugSession>
local sessions = {}
---@type thread[]  runs of nvim-dap that wait for a program to listen
local waiting = {}

function M.is_loaded()
  return type(package.loaded.dap) == 'table'
end

function M.is_installed()
  return M.is_loaded() or #vim.api.nvim_get_runtime_file('lua/dap.lua', false) > 0 or (pcall(require, 'dap'))
end

function M.problem() end

local function adapter(callback, config)
  local at = config.connect or config
  local options = { source_filetype = 'python', initialize_timeout_sec = ANSWER_SECONDS }
  callback({ type = 'server', host = at.host or '127.0.0.1', port = at.port, options = options })
end

--- The type of igor's configurations: the user's `debugpy` adapter, unless it is one that starts a
--- program instead of connecting to a port.
local function adapter_type(dap)
  return type(dap.adapters.debugpy) == 'function' and 'debugpy' or 'igor'
end

local function configuration(dap, session)
  return {
    type = adapter_type(dap),
    request = 'attach',
    name = session.name,
    igor = session.id,
    igor_root = session.local_root,
    connect = { host = '127.0.0.1', port = session.port },
    justMyCode = session.just_my_code,
    pathMappings = { { localRoot = session.local_root, remoteRoot = session.remote_root } },
  }
end

--- igor's entries in nvim-dap's list for a buffer; each runs :IgorDebug with its `igor_words`.
local function offers(buf)
  local root, file = require('igor.project').locate_buffer(buf)
  if not root then
    return {}
  end
  local found = {}
  local function offer(what, words)
    found[#found + 1] = { type = 'igor', request = 'attach', name = 'igor: ' .. what, igor_words = words }
  end
  if vim.bo[buf].filetype == 'python' then
    offer(file, '--')
    offer('the test under the cursor', '--test')
  end
  for _, name in ipairs(vim.fn.sort(require('igor.project').debug_programs(root))) do
    offer(name, name)
  end
  return found
end

--- nvim-dap runs a configuration. If it is igor's and its program does not run, start the program and
--- wait for it.
local function prepare(config)
  local session = sessions[config.igor]
  if not config.igor_words and not config.igor or session and not session.has_left then
    return config
  end
  waiting[#waiting + 1] = coroutine.running()
  local command = { cmd = 'IgorDebug', bang = not config.igor_words }
  command.args = config.igor_words and { config.igor_words } or nil
  vim.schedule(function()
    if config.igor_root then
      file_window.enter(config.igor_root)
    end
    vim.cmd(command)
  end)
  return coroutine.yield()
end

--- Add igor's adapters, configurations and listeners to nvim-dap.
---@param dap table  the module
function M.register(dap)
  dap.adapters.debugpy = dap.adapters.debugpy or adapter
  dap.adapters.igor = adapter
  dap.providers.configs.igor = offers
  dap.listeners.on_config.igor = prepare
  -- pytest catches what a test raises, and exceptions that end pytest itself are of no interest.
  dap.listeners.before.setExceptionBreakpoints.igor = function(its)
    local session = sessions[its.config.igor]
    if session and session.job.args.test and not its.igor_filters then
      its.igor_filters = true
      its:request('setExceptionBreakpoints', { filters = {} }, function() end)
    end
  end
  dap.listeners.after.configurationDone.igor = function(its)
    local session = sessions[its.config.igor]
    if session and not its.parent then
      session.is_up = true
      its.on_close.igor = function()
        session.has_left = true
      end
    end
  end
end

--- Abort the runs that wait for a program.
function M.refuse()
  local runs = waiting
  waiting = {}
  for _, run in ipairs(runs) do
    coroutine.resume(run, { igor = require('dap').ABORT })
  end
end

---@param session IgorDebugSession
function M.start(session)
  local dap = require('dap')
  M.register(dap)
  sessions[session.id] = session
  file_window.enter(session.local_root, session.job.args)
  local config = configuration(dap, session)
  local run = table.remove(waiting, 1)
  if run then
    coroutine.resume(run, config)
  else
    dap.run(config, { new = true })
  end
  vim.defer_fn(function()
    if not session.is_up then
      session.fail(('nvim-dap has not attached to 127.0.0.1:%d'):format(session.port))
    end
  end, PATIENCE_MS)
end

--- Close what nvim-dap has not closed by itself.
---@param session IgorDebugSession
function M.close(session)
  sessions[session.id] = nil
  if not M.is_loaded() then
    return
  end
  for _, its in pairs(require('dap').sessions()) do
    if its.config.igor == session.id and not its.closed then
      its:close()
    end
  end
end

return M
