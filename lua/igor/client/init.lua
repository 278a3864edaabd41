-- The editor's own connection to the agent: it sends saves and receives freshness. Commands use
-- another connection, the bridge's, so no save ever waits for Python.
--
-- All of this runs in libuv callbacks, which also run while the editor is busy with `:!make`. Calls
-- that Neovim forbids in a callback are scheduled.
local Link = require('igor.client.link')
local directories = require('igor.directories')
local frames = require('igor.client.frames')
local requests = require('igor.client.requests')
local pending = require('igor.client.pending')
local starter = require('igor.client.starter')
local watches = require('igor.client.watches')
local uv = vim.uv

local M = {}

-- Delay of the next attempt to connect: short if an agent was just started, long if none was.
local SOON_MS, STARTING_MS = 40, 30000
local SELDOM_MS, LONGEST_MS = 2000, 30000

-- How long a save waits for further ones if the editor does not return to its event loop.
local FLUSH_MS = 10

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN

---@type IgorLink|nil
local link
local is_up, was_up, is_leaving = false, false, false
local wants_agent, has_watched = false, false
local flush_timer, retry_timer
local retry_ms, started_at = SELDOM_MS, -math.huge
local said = {}

--- Called when the connection is established and when it is lost, as soon as Neovim allows.
M.on_change = function() end

local function say_once(text, level)
  if not said[text] and not is_leaving then
    said[text] = true
    vim.schedule(function()
      require('igor.ui.notice').say(text, level)
    end)
  end
end

local function tell()
  if not is_leaving then
    vim.schedule(M.on_change)
  end
end

local function version()
  local file = io.open(directories.checkout .. '/igor_core/__init__.py')
  local text = file and file:read('*a') or ''
  if file then
    file:close()
  end
  return text:match('__version__ = "([^"]+)"') or '?'
end

--- Report an error unless the saves were written to the file.
local function noted(kept)
  if not kept then
    say_once(('%s/unsent can not be written'):format(directories.state()), ERROR)
  end
end

local function watch_frame(root)
  has_watched = true
  return watches.frame(root)
end

--- Send HELLO, the watches and the pending saves in one write, so that the agent receives all of it
--- even if the editor ends immediately.
local function greet()
  local env = vim.empty_dict()
  env.SSH_AUTH_SOCK = uv.os_getenv('SSH_AUTH_SOCK')
  local client = { name = 'nvim', pid = uv.os_getpid(), answers = false, env = env }
  local texts = { frames.hello(version(), client) }
  for _, root in ipairs(watches.roots()) do
    texts[#texts + 1] = watch_frame(root)
    if was_up then
      pending.add(root, {}) -- changes made while disconnected went unnoticed
    end
  end
  pending.end_aside(true)
  wants_agent = false
  link:write(table.concat(texts) .. pending.take())
end

local open

--- Return whether a watch, a save or a request needs a connection.
local function is_needed()
  return watches.any() or pending.any() or requests.any()
end

--- Try again later if a connection is still needed.
local function try_later()
  if is_leaving or not is_needed() then
    return
  end
  local soon = uv.now() - started_at < STARTING_MS
  retry_timer = retry_timer or assert(uv.new_timer())
  retry_timer:start(soon and SOON_MS or retry_ms, 0, function()
    open()
  end)
  retry_ms = soon and SELDOM_MS or math.min(retry_ms * 2, LONGEST_MS)
end

--- Start an agent. If the last one ended a moment ago, a later attempt starts it.
local function start()
  local is_starting = starter.start(function(why)
    started_at = -math.huge
    say_once('the agent does not start: ' .. why, ERROR)
    requests.fail_all('the agent does not start', why)
  end)
  wants_agent = not is_starting
  if is_starting then
    started_at = uv.now()
  end
end

--- Handle a socket that nobody listens on. Write the saves to the file first, then try the socket
--- once more: a starting agent reads the file only after it has begun to listen.
local function nobody()
  if not pending.are_aside() and (wants_agent or pending.any() or requests.any()) then
    noted(pending.set_aside())
    return open()
  elseif pending.are_aside() then
    pending.end_aside(false)
    start()
  end
  try_later()
end

--- Handle a lost connection. Write the saves that the agent has not confirmed to the file, and
--- start an agent for them.
local function lost(start_anyway)
  link, is_up, has_watched = nil, false, false
  local any, kept = pending.lost()
  noted(kept)
  requests.lost()
  if any or start_anyway or requests.any() then
    start()
  end
  tell()
  try_later()
end

local on = {}

function on.welcome()
  is_up, was_up, retry_ms, started_at = true, true, SELDOM_MS, -math.huge
  link:write(requests.take())
  tell()
end

--- Handle an agent of another version. If it is idle, it exits by itself and an agent of this
--- version replaces it.
---@param theirs string  the other agent's version
---@param busy boolean
---@param pid integer
function on.refused(_, _, theirs, busy, pid)
  if busy then
    local text = 'an agent of igor %s (pid %d) is running jobs; saves wait until it ends'
    text = text:format(theirs, pid)
    say_once(text, WARN)
    requests.fail_all(text, 'igor agent stop')
  end
  link:close()
  lost(not busy)
end

--- Close the connection if nothing needs it.
local function end_unneeded()
  if link and not is_needed() and link.writing == 0 then
    link:close()
    link, is_up, has_watched = nil, false, false
    requests.lost()
    pending.all_covered()
  end
end

---@param request integer
---@param event table
function on.event(request, event)
  requests.event(request, event)
end

---@param request integer
---@param outcome IgorOutcome
function on.finished(request, outcome)
  requests.finished(request, outcome)
  if not has_watched then
    end_unneeded()
  end
end

local function ended(why)
  if why == 'absent' then
    link = nil
    return nobody()
  elseif why == 'nonsense' then
    say_once('unexpected data from the agent; stop it with: igor agent stop', ERROR)
  end
  lost()
end

--- Connect, unless connected or connecting.
function open()
  local folder = directories.runtime()
  if link then
    return
  elseif not directories.is_private(folder) then
    local text = ('%s is not private to you, so saves wait'):format(folder)
    say_once(text .. ': chmod 700 it, or remove it', ERROR)
    noted(pending.keep())
    pending.end_aside(false)
    wants_agent = false
    requests.fail_all(text, 'chmod 700 it, or remove it')
    return try_later()
  end
  link = Link.open(folder .. '/agent.sock', {
    on_open = greet,
    on_frame = function(kind, ...)
      on[kind](...)
    end,
    on_end = ended,
  })
end

local function flush()
  if not pending.any() then
    return
  end
  flush_timer:stop()
  if not link then
    open()
  elseif link.connected then
    link:write(pending.take())
  end
end

--- Report written or deleted files of the project; an empty list means that any file may have
--- changed. All are sent in one frame as soon as the editor returns to its event loop, or after
--- FLUSH_MS if it does not, as in `:w | !make`.
---@param root string
---@param paths string[]  relative to `root`
function M.save(root, paths)
  if #paths == 0 and not link then
    return -- a starting agent checks all files anyway
  end
  pending.add(root, paths)
  flush_timer = flush_timer or assert(uv.new_timer())
  if not flush_timer:is_active() then
    flush_timer:start(FLUSH_MS, 0, flush)
    vim.schedule(flush)
  end
end

--- Watch the freshness of a project, on this connection and on those that replace it.
---@param root string
---@param watch IgorWatch
function M.watch(root, watch)
  watches.add(root, watch)
  if link and link.connected then
    link:write(watch_frame(root))
  end
end

--- Stop watching a project. The connection is closed with its last watch.
---@param root string
function M.unwatch(root)
  local watch = watches.remove(root)
  if not watch or not link or not link.connected then
    return
  elseif is_needed() or link.writing > 0 then
    link:write(frames.cancel(watch.request))
    requests.forget(watch.request)
  else
    end_unneeded()
  end
end

---@param root string
function M.is_watched(root)
  return watches.has(root)
end

--- Return whether an agent has answered on this connection.
function M.is_up()
  return is_up
end

--- Connect, and start an agent if none listens.
function M.warm()
  if not link then
    wants_agent = true
    open()
  end
end

--- Send a request to the agent; start one and wait for it if none runs. `on_finished(outcome)` is
--- called once, in a libuv callback; its status is 255 if no agent started or the agent has exited.
---@param verb string
---@param root string
---@param args table
---@param on_finished fun(outcome: IgorOutcome)
function M.request(verb, root, args, on_finished)
  requests.ask(verb, root, args, on_finished)
  if is_up then
    link:write(requests.take())
  else
    starter.python = require('igor.python').of_agent()
    M.warm()
  end
end

local function is_delivered()
  return not pending.any() and not pending.are_aside() and (not link or link.writing == 0)
end

--- Prepare to exit: within `ms`, get each save into the agent's socket or into the file.
---@param ms integer
function M.leave(ms)
  if is_delivered() then
    is_leaving = true
    return
  end
  is_leaving = true
  flush()
  if not vim.wait(ms, is_delivered, 1, true) then
    noted(pending.keep_all())
  end
end

return M
