-- The jobs that this editor has started, and the commands about them.
local notice = require('igor.ui.notice')

local M = {}

---@class IgorJob
---@field request integer  the bridge's number for the job
---@field number integer|nil  the agent's number, which :IgorCancel takes
---@field verb string
---@field born integer  increases with each job
---@field output IgorOutput
---@field began number  start, in milliseconds of the event loop
---@field title string  "igor exec · dev · pytest -q"
---@field root string
---@field args table
---@field questions integer  number of questions that wait for an answer
---@field status integer|nil  exit status, nil while it runs
---@field verdict string|nil  how it ended, in a word
---@field inputs table<string, integer>|nil  host → input stream of its program, while open
---@field debug_sessions IgorDebugSession[]|nil
---@field inherited table|nil
---@field release_keys fun()|nil

---@type table<integer, IgorJob>
local by_request = {}
---@type IgorJob[]  oldest first
local order = {}

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN

--- The bridge's channel, nil without a bridge.
M.channel = nil

function M.running()
  return vim.tbl_filter(function(job)
    return not job.status
  end, order)
end

---@param job IgorJob
local function is_hidden(job)
  return #vim.fn.win_findbuf(job.output.buf) == 0
end

--- Forget the oldest finished jobs beyond the number in the options, except those on display.
local function forget_old()
  local excess = #order - #M.running() - require('igor.options').current.output.jobs
  order = vim.tbl_filter(function(job)
    local forget = excess > 0 and job.status and is_hidden(job)
    if forget then
      excess = excess - 1
      job.output:delete()
      if by_request[job.request] == job then -- a later bridge may have reused the number
        by_request[job.request] = nil
      end
    end
    return not forget
  end, order)
end

---@param job IgorJob
function M.add(job)
  by_request[job.request] = job
  order[#order + 1] = job
  forget_old()
end

---@param request integer
function M.get(request)
  return by_request[request]
end

--- The bridge has ended; the next one numbers its requests from the start.
function M.detach()
  by_request, M.channel = {}, nil
end

--- Return the job with this number of the agent's; the latest, since a new agent counts from 1
--- again.
local function with_number(number)
  for i = #order, 1, -1 do
    if tostring(order[i].number) == number then
      return order[i]
    end
  end
  notice.say(('this editor has no job %s; see: igor jobs'):format(number), ERROR)
end

local function of_buffer(jobs)
  local buf = vim.api.nvim_get_current_buf()
  return vim.iter(jobs):find(function(job)
    return job.output.buf == buf
  end)
end

--- Return the jobs that :IgorCancel refers to: all with a bang, else one.
local function meant(number, all)
  local jobs = M.running()
  if all then
    return jobs
  elseif number ~= '' then
    return { with_number(number) }
  elseif #jobs > 1 and not of_buffer(jobs) then
    local names = vim.tbl_map(function(job)
      return ('%s %s'):format(job.number or '?', job.verb)
    end, jobs)
    notice.say(('several run (%s): give a number, or ! for all'):format(table.concat(names, ', ')), WARN)
    return {}
  elseif #jobs == 0 then
    notice.say('nothing runs')
  end
  return { of_buffer(jobs) or jobs[1] }
end

--- :IgorCancel
---@param number string
---@param all boolean
function M.cancel(number, all)
  for _, job in ipairs(meant(number, all)) do
    if job.status then
      notice.say(('job %s has ended'):format(number))
    else
      vim.rpcnotify(M.channel, 'igor:cancel', job.request)
    end
  end
end

--- :IgorOutput
---@param number string
function M.show(number)
  local job = order[#order]
  if number ~= '' then
    job = with_number(number)
  elseif not job then
    notice.say('no job was started in this Neovim')
  end
  if job and not job.output:is_there() then
    notice.say('the output of that job was deleted')
  elseif job then
    job.output:open()
  end
end

--- Return the agent's numbers of the jobs, for completion.
function M.numbers()
  local numbers = {}
  for _, job in ipairs(order) do
    numbers[#numbers + 1] = job.number and tostring(job.number)
  end
  return numbers
end

--- See require('igor').status().
---@return string text, boolean is_over  whether the job has ended, boolean has_failed
function M.status()
  local jobs, last = M.running(), order[#order]
  local asking = vim.iter(jobs):find(function(job)
    return job.questions > 0
  end)
  if asking then
    return ('igor: %s asks'):format(asking.verb), false, false
  elseif #jobs > 1 then
    return ('igor: %d jobs'):format(#jobs), false, false
  elseif #jobs == 1 then
    return 'igor: ' .. jobs[1].verb .. ' …', false, false
  elseif last then
    local verdict = last.verdict or 'failed'
    return ('igor: %s %s'):format(last.verb, verdict), true, verdict == 'failed'
  end
  return '', true, false
end

return M
