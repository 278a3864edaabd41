-- :IgorAttach without a PID: choose one of the Python processes on all hosts.
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')

local M = {}

local ERROR = vim.log.levels.ERROR

---@class IgorProcess  a Python process that can be attached to
---@field pid integer
---@field host string
---@field rank string  '' without one
---@field command string

--- The process in one line, its control characters shown.
---@param process IgorProcess
---@param several boolean  whether there are several hosts
---@return string
local function line(process, several)
  local rank = process.rank ~= '' and ('  rank ' .. process.rank) or ''
  local host = several and process.host .. '  ' or ''
  return vim.fn.strtrans(('%s%d%s  %s'):format(host, process.pid, rank, process.command))
end

local function hosts_of(found)
  local names = {}
  for _, process in ipairs(found) do
    names[process.host] = true
  end
  return vim.tbl_count(names)
end

--- What went wrong with the request, or on the first host that failed; nil if nothing did.
---@param outcome table
---@return string|nil text
---@return string|nil hint
local function problem(outcome)
  if outcome.error ~= '' then
    return outcome.error, outcome.hint
  end
  for _, result in ipairs(outcome.results) do
    if not result.ok then
      return ('%s: %s'):format(result.host, result.text), result.hint
    end
  end
end

local function ask(found, attach)
  local several = hosts_of(found) > 1
  vim.ui.select(found, {
    prompt = 'igor: attach to which process?',
    kind = 'igor-process',
    format_item = function(process)
      return line(process, several)
    end,
  }, function(process)
    if process then
      attach(process)
    end
  end)
end

local function answered(outcome, attach)
  local data = type(outcome.data) == 'table' and outcome.data or {}
  local found = data.processes or {}
  local text, hint = problem(outcome)
  if text then
    notice.say(('attach: %s%s'):format(text, hint ~= '' and ' (' .. hint .. ')' or ''), ERROR)
  elseif #found == 0 then
    notice.say('attach: no Python process of this project runs', vim.log.levels.WARN)
  end
  if #found > 0 then
    readiness.when(readiness.can_ask, function()
      ask(found, attach)
    end)
  end
end

--- Ask the user for a process, and the bridge for the job that attaches to it.
---@param channel integer  the bridge's channel
---@param place string  a path in the project
---@param args table  the arguments of the verb, without the process
function M.choose(channel, place, args)
  require('igor.command.exit_guard').heard()
  local front, problem_of_front, hint = require('igor.debug.front').choose()
  if not front then
    return notice.say(('attach: %s (%s)'):format(problem_of_front, hint), ERROR)
  end
  local wanted = { group = args.group, hosts = args.hosts }
  local root = require('igor.project').root(place) or place
  require('igor.client').request('processes', root, wanted, vim.schedule_wrap(function(outcome)
    answered(outcome, function(process)
      local chosen = vim.tbl_extend('force', args, { pid = process.pid, hosts = { process.host } })
      vim.rpcnotify(channel, 'igor:attach', place, chosen)
    end)
  end))
end

return M
