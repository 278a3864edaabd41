-- The editor's own connection to the agent: saves go out, freshness comes in. Commands take another
-- one, that of the bridge; so no save ever waits for Python.
--
-- All of this runs in libuv's callbacks, which come also while the editor is busy with `:!make`;
-- what Neovim forbids there is scheduled.
local Link = require('igor.link')
local directories = require('igor.directories')
local frames = require('igor.frames')
local starter = require('igor.starter')
local unsent = require('igor.unsent')
local uv = vim.uv

local M = {}

---@class IgorWatch
---@field args table  of the verb "watch"
---@field on_event fun(event: table)
---@field on_finished fun(outcome: table)

---@alias IgorSaves table<string, table<string, true>>  root → set of paths; the path '' is a look

-- Another try to connect: soon where an agent was just started, seldom where nobody started one.
local SOON_MS, STARTING_MS = 40, 30000
local SELDOM_MS, LONGEST_MS = 2000, 30000

-- How long a save waits for others where the editor does not come back to its event loop.
local FLUSH_MS = 10

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN

local link
local is_up, was_up, is_leaving = false, false, false
---@type IgorSaves  that have not left; that left and that no freshness event has followed
local pending, uncovered = {}, {}
---@type IgorSaves|nil  that are in the file while the socket is tried once more
local kept
---@type table<string, IgorWatch>
local watches = {}
local requests, next_request = {}, 1
local wants_agent = false
local flush_timer, retry_timer
local retry_ms, started_at = SELDOM_MS, -math.huge
local said = {}

--- Called as soon as Neovim allows when the connection has come up and when it is lost.
M.on_change = function() end

local function say_once(text, level)
  if not said[text] and not is_leaving then
    said[text] = true
    vim.schedule(function()
      require('igor.notice').say(text, level)
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

local function add(saves, more)
  for root, paths in pairs(more) do
    saves[root] = saves[root] or {}
    for path in pairs(paths) do
      saves[root][path] = true
    end
  end
end

--- One frame for the files of each project, and one for its look.
local function frames_of(saves)
  local texts = {}
  for root, set in pairs(saves) do
    local paths = {}
    for path in pairs(set) do
      paths[#paths + 1] = path ~= '' and path or nil
    end
    if #paths > 0 then
      texts[#texts + 1] = frames.save(root, paths)
    end
    if set[''] then
      texts[#texts + 1] = frames.save(root, {})
    end
  end
  return table.concat(texts)
end

--- What is pending, as frames; from now on it waits to be covered.
local function take_pending()
  local saves = pending
  pending = {}
  add(uncovered, saves)
  return frames_of(saves)
end

--- The number of a new request that its `handlers` are called for: event(event), finished(outcome).
local function number(handlers)
  local request = next_request
  next_request = next_request + 2
  requests[request] = handlers
  return request
end

local function watch_frame(root, watch)
  watch.request = number({
    event = function(event)
      if event.type == 'freshness' then
        uncovered[root] = nil
      end
      watch.on_event(event)
    end,
    finished = function(outcome)
      if watches[root] == watch then
        watches[root] = nil
      end
      watch.on_finished(outcome)
    end,
  })
  return frames.request(watch.request, 'watch', root, watch.args)
end

--- HELLO, what is watched and what was saved leave as one write: the agent has all of it even where
--- the editor ends at once.
local function greet()
  local env = vim.empty_dict()
  env.SSH_AUTH_SOCK = uv.os_getenv('SSH_AUTH_SOCK')
  local client = { name = 'nvim', pid = uv.os_getpid(), answers = false, env = env }
  local texts = { frames.hello(version(), client) }
  for root, watch in pairs(watches) do
    texts[#texts + 1] = watch_frame(root, watch)
    if was_up then
      add(pending, { [root] = { [''] = true } }) -- nobody has looked meanwhile
    end
  end
  add(pending, kept or {})
  kept, wants_agent = nil, false
  link:write(table.concat(texts) .. take_pending())
end

--- Put saves into the file; where it can't be written, they wait here.
local function keep(saves)
  if next(saves) and not unsent.append(saves) then
    add(pending, saves)
    say_once(('%s/unsent can not be written'):format(directories.state()), ERROR)
  end
end

local open

--- Try again after a while, for as long as something is watched or waits.
local function try_later()
  if is_leaving or not next(watches) and not next(pending) then
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
  end)
  wants_agent = not is_starting
  if is_starting then
    started_at = uv.now()
  end
end

--- Nobody listens. What was saved goes into the file first, then the socket is tried once more: an
--- agent that comes up takes the file only after it has begun to listen.
local function nobody()
  if not kept and (wants_agent or next(pending)) then
    kept, pending = pending, {}
    keep(kept)
    return open()
  elseif kept then
    kept = nil
    start()
  end
  try_later()
end

--- The connection has ended. What the agent has not spoken of since goes into the file, and an agent
--- is started for it.
local function lost(start_anyway)
  local saves = uncovered
  link, is_up, uncovered, requests = nil, false, {}, {}
  keep(saves)
  if next(saves) or start_anyway then
    start()
  end
  tell()
  try_later()
end

local on = {}

function on.welcome()
  is_up, was_up, retry_ms, started_at = true, true, SELDOM_MS, -math.huge
  tell()
end

--- Another version's agent: one that is not busy leaves by itself, and ours takes its place.
function on.refused(_, _, theirs, busy, pid)
  if busy then
    local text = 'an agent of igor %s (pid %d) is running jobs; saves wait until it ends'
    say_once(text:format(theirs, pid), WARN)
  end
  link:close()
  lost(not busy)
end

function on.event(request, event)
  if requests[request] then
    requests[request].event(event)
  end
end

function on.finished(request, outcome)
  local handlers = requests[request]
  requests[request] = nil
  if handlers then
    handlers.finished(outcome)
  end
end

local function ended(why)
  if why == 'absent' then
    link = nil
    return nobody()
  elseif why == 'nonsense' then
    say_once('the agent can not be understood: igor agent stop', ERROR)
  end
  lost()
end

--- Connect, unless that is done or under way.
function open()
  local folder = directories.runtime()
  if link then
    return
  elseif not directories.is_private(folder) then
    say_once(('%s is not private to you, so saves wait: chmod 700 it, or remove it'):format(folder), ERROR)
    keep(pending)
    pending, kept, wants_agent = {}, nil, false
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
  if not next(pending) then
    return
  end
  flush_timer:stop()
  if not link then
    open()
  elseif link.connected then
    link:write(take_pending())
  end
end

--- These files of the project were written or deleted; none: something may have changed. They leave
--- as soon as the editor comes back to its event loop, all of them as one frame; where it does not,
--- as in `:w | !make`, after a moment.
---@param root string
---@param paths string[]  relative to `root`
function M.save(root, paths)
  local set = {}
  for _, path in ipairs(paths) do
    set[path] = true
  end
  if #paths == 0 then
    if not link then
      return -- an agent that comes will look by itself
    end
    set[''] = true
  end
  add(pending, { [root] = set })
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
  watches[root] = watch
  if link and link.connected then
    link:write(watch_frame(root, watch))
  end
end

--- The connection ends with its last watch.
function M.unwatch(root)
  local watch = watches[root]
  watches[root] = nil
  if not watch or not link or not link.connected then
    return
  elseif next(watches) or next(pending) or link.writing > 0 then
    link:write(frames.cancel(watch.request))
    requests[watch.request] = nil
  else
    link:close()
    link, is_up, requests, uncovered = nil, false, {}, {}
  end
end

function M.is_watched(root)
  return watches[root] ~= nil
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

--- Ask for a verb on the connection that is there; false where there is none.
function M.request(verb, root, args, on_finished)
  if not is_up then
    return false
  end
  local request = number({ event = function() end, finished = on_finished })
  link:write(frames.request(request, verb, root, args))
  return true
end

local function is_delivered()
  return not next(pending) and not kept and (not link or link.writing == 0)
end

--- The editor leaves: see that each save is in the agent's socket or in the file, within `ms`.
function M.leave(ms)
  if is_delivered() then
    is_leaving = true
    return
  end
  is_leaving = true
  flush()
  if not vim.wait(ms, is_delivered, 1, true) then
    add(pending, uncovered)
    keep(pending)
  end
end

return M
