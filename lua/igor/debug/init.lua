-- Debug sessions: start the front end when a program listens, close it when the program has ended.
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')

local M = {}

---@class IgorDebuggee  event: a program listens for its debugger
---@field host string
---@field rank integer
---@field port integer  on 127.0.0.1
---@field process integer  PID of a process to attach to, 0 for a program that igor started
---@field local_root string
---@field remote_root string
---@field just_my_code boolean
---@field subprocess boolean

---@class IgorDebugSession : IgorDebuggee  a front end's session with one rank of a program
---@field id string  new for each session
---@field name string  shown by the front end
---@field first boolean  whether it is the job's first
---@field front IgorFrontEnd
---@field is_up boolean|nil  the front end is connected
---@field is_over boolean|nil  the job has ended, or the front end has failed
---@field has_left boolean|nil  the front end has closed it
---@field vimspector integer|nil  Vimspector's number of it
---@field job table
---@field fail fun(text: string)  the front end did not come up

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN
local GRACE = 30 -- seconds; the default of the config

---@type table<string, table>  root → arguments of the last program
local last = {}
local born = 0

--- The arguments of the last program debugged in the project.
---@param root string
---@return table|nil
function M.last(root)
  return last[root]
end

--- A job of `debug` or `attach` has started.
---@param job table
function M.started(job)
  local its = job.args
  if job.verb == 'debug' and (its.program or its.module or its.test or its.name) then
    local args = vim.deepcopy(job.args)
    args.reattach = nil
    last[project.root(job.root) or job.root] = args
  end
  job.debug_sessions, job.inherited = {}, {}
  job.release_keys = readiness.watch_keys()
end

--- End the job and its program.
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

--- The job that replaces `job`: a later one for the same project and group that runs; nil without.
---@return table|nil
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

--- A front end did not come up, so the program would wait for ever: end it.
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

--- The name of a session in the front end.
---@param job table
---@param event IgorDebuggee
---@return string
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

--- A command did not start a job.
function M.refused()
  require('igor.debug.dap').refuse()
end

--- A program listens: start the front end for it as soon as Neovim is in normal mode.
---@param job table
---@param event IgorDebuggee
function M.listens(job, event)
  local front, problem = require('igor.debug.front').choose()
  if not front then
    say(job, event.host, problem, 'IgorError', ERROR)
    return cancel(job)
  end
  born = born + 1
  ---@type IgorDebugSession
  local session = vim.tbl_extend('force', event, {
    id = ('igor-%d'):format(born),
    job = job,
    front = front,
    first = #job.debug_sessions == 0,
    name = name_of(job, event),
  })
  session.fail = function(text)
    failed(session, text)
  end
  table.insert(job.debug_sessions, session)
  if not readiness.can_ask() and vim.api.nvim_get_mode().mode ~= 'n' then
    job.output:say(event.host, 'the debugger opens when you return to normal mode', 'IgorWarning')
    job.output:open()
  end
  readiness.when(readiness.can_ask, function()
    start(front, session)
  end)
end

--- Offer to attach again to a program that outlives a lost connection.
local function offer(job, host, seconds)
  if seconds == 0 then
    return
  end
  local lives = type(seconds) == 'number' and ('for %d s'):format(seconds) or 'on the host'
  local text = ('the program keeps running %s; press r or run :IgorDebug --reattach'):format(lives)
  say(job, host, text, 'IgorWarning', WARN)
  job.output:open()
  vim.keymap.set('n', 'r', function()
    vim.keymap.del('n', 'r', { buffer = job.output.buf })
    vim.cmd('IgorDebug --reattach')
  end, { buffer = job.output.buf, desc = 'igor: attach to the program again' })
end

--- The connection to a host is lost.
---@param job table
---@param event { host: string, grace: number|nil }
function M.lost(job, event)
  offer(job, event.host, event.grace)
end

local function grace(job)
  local debug = project.config(project.root(job.root) or job.root).debug
  return type(debug) == 'table' and tonumber(debug.grace) or GRACE
end

--- The job has ended. Close its sessions as soon as Neovim is in normal mode; if the next job has
--- started already, leave them to it.
---@param job table
---@param outcome table
function M.ended(job, outcome)
  local sessions = vim.list_extend(job.inherited, job.debug_sessions)
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
  if #job.debug_sessions == 0 and not next_job then
    M.refused()
  end
  if outcome.type == 'lost' and job.verb == 'debug' and #job.debug_sessions > 0 then
    offer(job, '', grace(job))
  end
end

return M
