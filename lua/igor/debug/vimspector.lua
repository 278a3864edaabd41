-- Vimspector as the front end, with workarounds: Vimspector does not notice a failed connection, asks
-- about exceptions at each start, and mixes up the threads of several sessions.
local file_window = require('igor.debug.file_window')
local python = require('igor.debug.vimspector_python')

---@type IgorFrontEnd
local M = { title = 'Vimspector' }

---@type table<integer, IgorDebugSession>  by Vimspector's number
local shown = {}

-- Vimspector does not report a failed connection; attaching takes less time than this.
local CHECK_MS, PATIENCE_MS = 500, 20000
local CLOSE_TRIES = 40
-- debugpy takes a while to load on a slow host.
local ATTACH_MS = 60000
-- Vimspector asks about filters without a value. "" is debugpy's own default.
local EXCEPTIONS = { raised = 'N', uncaught = 'Y', userUnhandled = '' }
-- pytest catches what a test raises, and exceptions that end pytest itself are of no interest.
local EXCEPTIONS_OF_TESTS = { raised = 'N', uncaught = 'N', userUnhandled = '' }

local function call(name, ...)
  return vim.fn['vimspector#' .. name](...)
end

local function execute(code)
  vim.fn.py3eval(('exec( %s, globals() )'):format(vim.json.encode(code)))
end

function M.is_loaded()
  return vim.fn.exists('*vimspector#Launch') == 1
end

function M.is_installed()
  return vim.fn.exists(':VimspectorReset') == 2
    or #vim.api.nvim_get_runtime_file('autoload/vimspector.vim', false) > 0
end

local function is_loadable()
  return M.is_loaded() or #vim.api.nvim_get_runtime_file('autoload/vimspector.vim', false) > 0
end

--- Why Vimspector can't be used although installed. Runs one of its commands first: a plugin manager
--- may have defined only these, to load it on first use.
---@return string|nil problem
---@return string|nil hint
function M.problem()
  if vim.fn.has('python3') == 0 then
    return 'Vimspector needs Python with pynvim in Neovim: set g:python3_host_prog', ':checkhealth provider'
  end
  if not is_loadable() then
    pcall(vim.cmd, 'silent! VimspectorReset')
  end
  if not is_loadable() then
    return 'Vimspector is not loaded', "add it to 'runtimepath'"
  end
end

local function state(number)
  local ok, found = pcall(vim.fn.py3eval, (python.state:format(number):gsub('\n', '')))
  return ok and found or 'none'
end

--- Create a session for a further rank, with the breakpoints of the first.
local function new_session(session)
  local first = session.job.debug_sessions[1].vimspector
  call('NewSession', session.name)
  if first then
    execute(python.copy_breakpoints:format(first))
  end
end

--- Whether nothing listens on the port: connecting would block Neovim for ten seconds. Found without
--- connecting, since debugpy would take that for its only client.
---@param port integer
---@return boolean
local function is_closed(port)
  local tcp = assert(vim.uv.new_tcp())
  local ok = tcp:bind('127.0.0.1', port) and tcp:listen(1, function() end)
  tcp:close()
  return ok == 0
end

--- Wait until the session is up, or fail it; Vimspector may ask the user something meanwhile.
local function watch(session)
  local timer, waited = assert(vim.uv.new_timer()), 0
  timer:start(CHECK_MS, CHECK_MS, vim.schedule_wrap(function()
    if timer:is_closing() then
      return
    end
    waited = waited + CHECK_MS
    local now = state(session.vimspector)
    if session.is_over or now == 'up' then
      session.is_up = now == 'up'
      timer:close()
    elseif now == 'lost' or now == 'none' or waited >= PATIENCE_MS then
      timer:close()
      session.fail(('Vimspector has not attached to 127.0.0.1:%d'):format(session.port))
    end
  end))
end

--- Show the program's output in Vimspector's output window, and move the cursor from there to the code.
local function show_output(session)
  local windows = vim.g.vimspector_session_windows
  local win = type(windows) == 'table' and windows.output
  if win and vim.api.nvim_win_is_valid(win) and session.job.output:is_there() then
    require('igor.ui.window').borrow(win, session.job.output.buf)
    if windows.code and vim.api.nvim_get_current_win() == win then
      vim.api.nvim_set_current_win(windows.code)
    end
  end
end

--- A unique name: Vimspector prefers configurations and adapters of the same name in files.
local function unlikely(name)
  return ('%s (%s)'):format(name, vim.text.hexencode(assert(vim.uv.random(4))))
end

--- A configuration and an adapter, as in .vimspector.json.
local function configuration(session, adapter)
  local at = { host = '127.0.0.1', port = session.port }
  return {
    adapter = adapter,
    breakpoints = { exception = session.job.args.test and EXCEPTIONS_OF_TESTS or EXCEPTIONS },
    configuration = {
      request = 'attach',
      type = 'python',
      connect = at,
      justMyCode = session.just_my_code,
      pathMappings = { { localRoot = session.local_root, remoteRoot = session.remote_root } },
    },
  }, vim.tbl_extend('error', at, { async_timeout = ATTACH_MS })
end

--- Call `act` with the name of the session's configuration while Vimspector knows it. It is in no
--- file, so it is right whichever port is in use and whatever is in .vimspector.json.
local function with_configuration(session, act)
  local key = unlikely(session.name)
  local its, adapter = configuration(session, key)
  local before = {}
  for name, value in pairs({ vimspector_configurations = its, vimspector_adapters = adapter }) do
    before[name] = vim.g[name] or vim.NIL
    vim.g[name] = vim.tbl_extend('force', vim.g[name] or {}, { [key] = value })
  end
  local ok, err = pcall(act, key)
  for name, value in pairs(before) do
    vim.g[name] = value ~= vim.NIL and value or nil
  end
  if not ok then
    error(err, 0)
  end
end

local function launch(session)
  local name = call('GetSessionName')
  if vim.startswith(name, 'igor: ') or vim.startswith(name, 'Unnamed-') then
    call('RenameSession', session.name)
  end
  call('ResetExceptionBreakpoints')
  with_configuration(session, function(key)
    local ok, names = pcall(call, 'GetConfigurations')
    if not ok then
      error("Vimspector can't read the project's .vimspector.json, or another of its files", 0)
    elseif not vim.tbl_contains(names, key) then
      error('Vimspector does not accept the configuration', 0)
    end
    call('LaunchWithSettings', { configuration = key })
  end)
  session.vimspector = tonumber(call('GetSessionID'))
  shown[session.vimspector] = session
  pcall(execute, python.restart)
  show_output(session)
  watch(session)
end

---@param session IgorDebugSession
function M.start(session)
  if not file_window.enter(session.local_root, session.job.args) then
    return session.fail('Vimspector needs a window with a file of the project')
  elseif is_closed(session.port) then
    return session.fail(('nothing listens on 127.0.0.1:%d any more'):format(session.port))
  end
  if session.subprocess or #session.job.debug_sessions > 1 or #(session.job.args.ranks or {}) > 1 then
    pcall(execute, python.own_requests) -- may fail: later versions have no such list
  end
  if not session.first then
    new_session(session)
  end
  launch(session)
end

--- Debug the last program again, for vimspector#Restart().
function M.restart()
  local session = shown[tonumber(call('GetSessionID'))]
  if session and session.job.verb == 'debug' then
    vim.schedule(function()
      file_window.enter(session.local_root, session.job.args)
      vim.cmd('IgorDebug!')
    end)
  else
    require('igor.ui.notice').say('igor did not start this program; to attach again: :IgorAttach')
  end
end

--- Remove a rank's session as soon as its connection has ended.
local function destroy(session, tries)
  local now = state(session.vimspector)
  if now == 'none' then
    pcall(call, 'DestroySession', session.name)
  elseif tries > 0 then
    vim.defer_fn(function()
      destroy(session, tries - 1)
    end, 50)
  end
end

--- Show the output from Vimspector's window in igor's split on this tab page, if it has one.
local function show_in_split(output)
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.bo[vim.api.nvim_win_get_buf(win)].filetype == 'igor' and not vim.w[win].igor_borrowed then
      return output:open()
    end
  end
end

--- Close its windows without questions; the cursor stays where it is.
---@param session IgorDebugSession
function M.close(session)
  local number = session.vimspector
  if not number or not M.is_loaded() then
    return
  end
  local win = vim.api.nvim_get_current_win()
  if shown[number] == session and state(number) ~= 'none' then
    call('internal#state#SwitchToSession', number)
    call('Reset', vim.empty_dict())
  end
  if not session.first then
    destroy(session, CLOSE_TRIES)
  end
  if vim.api.nvim_win_is_valid(win) then
    vim.api.nvim_set_current_win(win)
  end
  show_in_split(session.job.output)
end

return M
