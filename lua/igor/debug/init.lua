-- Debugged programs: when one listens its front end is started, when it has ended that is closed.
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')

local M = {}

---@class IgorDebuggee  one rank of a program that listens for a front end
---@field id string  new for each
---@field host string
---@field rank integer
---@field port integer  on 127.0.0.1
---@field configuration string  its name in .vimspector.json
---@field name string  that of its session
---@field local_root string
---@field remote_root string
---@field just_my_code boolean
---@field subprocess boolean
---@field first boolean  whether it is the job's first
---@field front IgorFront
---@field is_up boolean|nil  the front end is connected
---@field is_over boolean|nil
---@field has_left boolean|nil  its front end has closed it
---@field job table
---@field fail fun(text: string)  the front end has not come up

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN
local GRACE = 30 -- seconds; the config's default

---@type table<string, table>  root → the args of the last one
local last = {}
local born = 0

--- The args of what was debugged last in the project.
function M.last(root)
  return last[root]
end

--- A job of the verb was asked for.
function M.started(job)
  local its = job.args
  if job.verb == 'debug' and (its.program or its.module or its.test or its.name) then
    local args = vim.deepcopy(job.args)
    args.reattach = nil
    last[project.root(job.root) or job.root] = args
  end
  job.debuggees, job.inherited = {}, {}
  job.release_keys = readiness.watch_keys()
end

--- End the job: what it runs, too.
local function cancel(job)
  if not job.status then
    vim.rpcnotify(require('igor.job.list').channel, 'igor:cancel', job.request)
  end
end

local function say(job, host, text, group, level)
  job.output:say(host, text, group)
  job.output:flush()
  notice.say(text, level)
end

local function close(session)
  local ok, err = pcall(session.front.close, session)
  if not ok then
    notice.say(tostring(err), ERROR)
  end
end

--- The job that takes the place of `job`: a program of the same project and group that was started
--- after it and runs; nil where there is none.
local function successor(job)
  local root = project.root(job.root)
  return vim.iter(require('igor.job.list').running()):find(function(other)
    return other.verb == 'debug'
      and job.verb == 'debug'
      and other.born > job.born
      and (other.args.group or 'dev') == (job.args.group or 'dev')
      and project.root(other.root) == root
  end)
end

--- A front end has not come up, so nobody would let the program run: it is ended.
local function failed(session, text)
  if not session.is_over and not session.job.status then
    say(session.job, session.host, text, 'IgorError', ERROR)
    session.is_over = true
    close(session)
    cancel(session.job)
  end
end

local function start(front, session)
  if session.job.status or session.is_over then
    return
  end
  local ok, err = pcall(front.start, session)
  if not ok then
    session.fail(tostring(err))
  end
end

--- What the front end calls the session.
local function name_of(job, event)
  local args = job.args
  if args.ranks and #args.ranks > 1 then
    return ('igor: rank %d on %s'):format(event.rank, event.host)
  end
  if (event.process or 0) ~= 0 then
    return ('igor: process %d on %s'):format(event.process, event.host)
  end
  return 'igor: ' .. (args.program or args.test or args.module or args.name or event.host)
end

--- A command did not become a job.
function M.refused()
  require('igor.debug.dap').refuse()
end

--- A rank listens: start the front end for it as soon as the keys aren't needed for something else.
function M.listens(job, event)
  local front, problem = require('igor.debug.front').choose()
  if not front then
    say(job, event.host, problem, 'IgorError', ERROR)
    return cancel(job)
  end
  born = born + 1
  local session = {
    id = ('igor-%d'):format(born),
    job = job,
    front = front,
    first = #job.debuggees == 0,
    name = name_of(job, event),
  }
  session = vim.tbl_extend('error', session, { host = event.host, rank = event.rank, port = event.port })
  for _, key in ipairs({ 'configuration', 'local_root', 'remote_root', 'just_my_code', 'subprocess' }) do
    session[key] = event[key]
  end
  session.fail = function(text)
    failed(session, text)
  end
  table.insert(job.debuggees, session)
  if not readiness.can_ask() and vim.api.nvim_get_mode().mode ~= 'n' then
    job.output:say(event.host, 'the debugger comes up in normal mode', 'IgorWarning')
    job.output:open()
  end
  readiness.when(readiness.can_ask, function()
    start(front, session)
  end)
end

--- Offer to attach again to what a lost connection has left running.
local function offer(job, host, seconds)
  if seconds == 0 then
    return
  end
  local lives = type(seconds) == 'number' and ('for %d s'):format(seconds) or 'on'
  local text = ('the program lives %s: r here, or :IgorDebug --reattach, attaches again'):format(lives)
  say(job, host, text, 'IgorWarning', WARN)
  job.output:open()
  vim.keymap.set('n', 'r', function()
    vim.keymap.del('n', 'r', { buffer = job.output.buf })
    vim.cmd('IgorDebug --reattach')
  end, { buffer = job.output.buf, desc = 'igor: attach to the program again' })
end

--- The connection to a host is lost.
function M.lost(job, event)
  offer(job, event.host, event.grace)
end

local function grace(job)
  local debug = project.config(project.root(job.root) or job.root).debug
  return type(debug) == 'table' and tonumber(debug.grace) or GRACE
end

--- The job has ended. The windows of its sessions go, once nobody is typing in them; where the next
--- one has been started already, they are left to it.
function M.ended(job, outcome)
  local sessions = vim.list_extend(job.inherited, job.debuggees)
  for _, session in ipairs(sessions) do
    session.is_over = true
  end
  local next_job = successor(job)
  if next_job then
    vim.list_extend(next_job.inherited, sessions)
  end
  readiness.when(readiness.can_ask, function()
    job.release_keys()
    if not next_job then
      vim.iter(sessions):each(close)
    end
  end)
  if #job.debuggees == 0 and not next_job then
    M.refused()
  end
  if outcome.type == 'lost' and job.verb == 'debug' and #job.debuggees > 0 then
    offer(job, '', grace(job))
  end
end

return M
