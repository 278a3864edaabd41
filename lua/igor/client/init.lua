-- The editor's own connection to the agent: saves go out, freshness comes in. Commands take another
-- one, that of the bridge; so no save ever waits for Python.
--
-- All of this runs in libuv's callbacks, which come also while the editor is busy with `:!make`;
-- what Neovim forbids there is scheduled.
local Link = require('igor.client.link')
local directories = require('igor.directories')
local frames = require('igor.client.frames')
local requests = require('igor.client.requests')
local pending = require('igor.client.pending')
local starter = require('igor.client.starter')
local watches = require('igor.client.watches')
local uv = vim.uv

local M = {}

-- Another try to connect: soon where an agent was just started, seldom where nobody started one.
local SOON_MS, STARTING_MS = 40, 30000
local SELDOM_MS, LONGEST_MS = 2000, 30000

-- How long a save waits for others where the editor does not come back to its event loop.
local FLUSH_MS = 10

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN

---@type IgorLink|nil
local link
local is_up, was_up, is_leaving = false, false, false
local wants_agent, has_watched = false, false
local flush_timer, retry_timer
local retry_ms, started_at = SELDOM_MS, -math.huge
local said = {}

--- Called as soon as Neovim allows when the connection has come up and when it is lost.
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

--- That saves are in the file, or could not be put there.
local function noted(kept)
  if not kept then
    say_once(('%s/unsent can not be written'):format(directories.state()), ERROR)
  end
end

local function watch_frame(root)
  has_watched = true
  return watches.frame(root)
end

--- HELLO, what is watched and what was saved leave as one write: the agent has all of it even where
--- the editor ends at once.
local function greet()
  local env = vim.empty_dict()
  env.SSH_AUTH_SOCK = uv.os_getenv('SSH_AUTH_SOCK')
  local client = { name = 'nvim', pid = uv.os_getpid(), answers = false, env = env }
  local texts = { frames.hello(version(), client) }
  for _, root in ipairs(watches.roots()) do
    texts[#texts + 1] = watch_frame(root)
    if was_up then
      pending.add(root, {}) -- nobody has looked meanwhile
    end
  end
  pending.end_aside(true)
  wants_agent = false
  link:write(table.concat(texts) .. pending.take())
end

local open

--- Whether anybody needs a connection.
local function is_needed()
  return watches.any() or pending.any() or requests.any()
end

--- Try again after a while, for as long as something is watched or waits.
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

--- Start an agent; one that ended a moment ago is started by a later try.
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

--- Nobody listens. What was saved goes into the file first, then the socket is tried once more: an
--- agent that comes up takes the file only after it has begun to listen.
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

--- The connection has ended. What the agent has not spoken of since goes into the file, and an agent
--- is started for it.
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

--- Another version's agent: one that is not busy leaves by itself, and ours takes its place.
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

--- The connection ends when nobody needs it.
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

--- Connect, unless that is done or under way.
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

--- These files of the project were written or deleted; none: something may have changed. They leave
--- as soon as the editor comes back to its event loop, all of them as one frame; where it does not,
--- as in `:w | !make`, after a moment.
---@param root string
---@param paths string[]  relative to `root`
function M.save(root, paths)
  if #paths == 0 and not link then
    return -- an agent that comes will look by itself
  end
  pending.add(root, paths)
  flush_timer = flush_timer or assert(uv.new_timer())
  if not flush_timer:is_active() then
    flush_timer:start(FLUSH_MS, 0, flush)
    vim.schedule(flush)
  end
end

--- Ask for the freshness of a project, on this connection and those that follow it.
---@param root string
---@param watch IgorWatch
function M.watch(root, watch)
  watches.add(root, watch)
  if link and link.connected then
    link:write(watch_frame(root))
  end
end

--- The connection ends with its last watch.
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

--- Whether an agent has answered on this connection.
function M.is_up()
  return is_up
end

--- Connect, and start an agent where none listens.
function M.warm()
  if not link then
    wants_agent = true
    open()
  end
end

--- Ask for a verb; where no agent is there, one is started and waited for. `on_finished(outcome)` is
--- called once, in a libuv callback; its status is 255 where no agent came or it has gone.
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

--- The editor leaves: see that each save is in the agent's socket or in the file, within `ms`.
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
