-- The jobs that this editor started: takes the bridge's batches of events and keeps their state.
local notice = require('igor.notice')
local project = require('igor.project')
local words = require('igor.words')

local M = {}

---@class IgorJob
---@field request integer  the bridge's number for it
---@field number integer|nil  the agent's number, which :IgorCancel takes
---@field verb string
---@field output table
---@field began number  in ms
---@field status integer|nil  exit status, nil while it runs

---@type table<integer, IgorJob>
local by_request = {}
---@type IgorJob[]  oldest first
local order = {}
local channel
local born = 0

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN
-- Verbs that begin with a push of what is on disk.
local PUSHES = { push = true, build = true, setup = true, exec = true }

local function running()
  return vim.tbl_filter(function(job)
    return not job.status
  end, order)
end

local function title(job, args)
  local group = args.group or 'dev'
  local target = args.hosts and table.concat(args.hosts, ', ') or group
  return ('igor %s · %s%s'):format(job.verb, target, args.shell and ' · ' .. args.shell or '')
end

local function is_listed(verb)
  return vim.tbl_contains(require('igor.options').current.output.open, verb)
end

--- Forget the oldest finished jobs, so that so many are left as the options say.
local function forget_old()
  local finished = vim.tbl_filter(function(job)
    return job.status and #vim.fn.win_findbuf(job.output.buf) == 0
  end, order)
  for i = 1, #finished - require('igor.options').current.output.jobs do
    finished[i].output:delete()
    by_request[finished[i].request] = nil
    order = vim.tbl_filter(function(job)
      return job ~= finished[i]
    end, order)
  end
end

local function warn_unwritten(job, root)
  local names = project.unwritten(root)
  if #names > 0 then
    local text = 'not written, so not sent: ' .. table.concat(names, ', ')
    job.output:say('', text, 'IgorWarning')
    notice.say(text, WARN)
  end
end

local on = {}

function on.started(request, event)
  born = born + 1
  local hosts = event.args.hosts or project.groups(event.root)[event.args.group or 'dev'] or {}
  local name = ('igor://%d/%s'):format(born, event.verb)
  local output = require('igor.output').new(name, event.root, hosts)
  local job = { request = request, verb = event.verb, output = output, began = vim.uv.now() }
  by_request[request] = job
  order[#order + 1] = job
  output:say('', title(job, event.args), 'IgorTitle')
  if PUSHES[job.verb] and not event.args.no_push then
    warn_unwritten(job, event.root)
  end
  forget_old()
  if is_listed(job.verb) then
    output:open()
  end
end

function on.accepted(job, event)
  job.number = event.job
end

function on.step(job, event)
  job.output:say(event.host, event.text, 'IgorStep')
end

function on.warning(job, event)
  job.output:say(event.host, event.text, 'IgorWarning')
  if event.hint ~= '' then
    job.output:say(event.host, '  ' .. event.hint, 'IgorHint')
  end
end

function on.output(job, event)
  job.output:write(event.host, event.stream, event.data)
end

function on.progress(job, event)
  job.output:set_progress(event.host, words.progress(event))
end

function on.prompt(job, event)
  require('igor.ask').ask({
    host = event.host,
    text = event.text,
    echo = event.echo,
    wanted = function()
      return not job.status
    end,
    answer = function(text)
      local given = text == nil and vim.NIL or text
      pcall(vim.rpcnotify, channel, 'igor:answer', job.request, event.prompt, given)
    end,
  })
end

function on.result(job, event)
  job.output:settle(event.host)
  job.output:say(event.host, words.result(event), event.ok and 'IgorOk' or 'IgorError')
  if event.hint ~= '' then
    job.output:say(event.host, '  ' .. event.hint, 'IgorHint')
  end
end

--- The end of a job, whatever ended it.
local function finish(job, outcome)
  job.status = outcome.status
  for _, host in ipairs(vim.tbl_keys(job.output.hosts)) do
    job.output:settle(host)
  end
  job.output:settle('')
  if outcome.error ~= '' then
    job.output:say('', outcome.error, 'IgorError')
  end
  if outcome.hint ~= '' then
    job.output:say('', '  ' .. outcome.hint, 'IgorHint')
  end
  local ok = outcome.status == 0
  local took = words.duration((vim.uv.now() - job.began) / 1000)
  job.output:say('', ('%s in %s'):format(ok and 'done' or 'ended', took), 'IgorTitle')
  notice.say(('%s: %s'):format(job.verb, words.summary(outcome)), not ok and ERROR or nil)
  if not ok and not is_listed(job.verb) then
    job.output:open()
  end
end

on.finished = finish

function on.lost(job, event)
  finish(job, { status = 255, error = event.error, hint = event.hint, results = {} })
end

--- Leaving the editor: close the connection, wait for nothing.
local function meet(new_channel)
  if channel == new_channel then
    return
  end
  channel = new_channel
  require('igor.highlights').define()
  vim.api.nvim_create_autocmd('VimLeavePre', {
    group = vim.api.nvim_create_augroup('igor_leave', {}),
    callback = function()
      pcall(vim.rpcnotify, channel, 'igor:leave')
    end,
  })
end

local function take(request, event)
  if event.type == 'started' then
    return on.started(request, event)
  end
  local job = by_request[request]
  if job and not job.status and on[event.type] then
    on[event.type](job, event)
  end
end

--- A batch from the bridge: pairs of a request and its event. It is told when they are shown, and
--- sends no more before; so that must happen whatever goes wrong here.
function M.receive(from, batch)
  meet(from)
  local touched, problem = {}, nil
  for _, pair in ipairs(batch) do
    local ok, err = pcall(take, pair[1], pair[2])
    problem = problem or not ok and err
    touched[pair[1]] = true
  end
  for request in pairs(touched) do
    if by_request[request] then
      local ok, err = pcall(by_request[request].output.flush, by_request[request].output)
      problem = problem or not ok and err
    end
  end
  pcall(vim.rpcnotify, channel, 'igor:consumed')
  pcall(vim.cmd.redrawstatus, { bang = true })
  if problem then
    notice.say('this is a bug: ' .. tostring(problem), ERROR)
  end
end

--- A command that was not understood.
function M.refuse(verb, text, hint)
  notice.say(('%s: %s%s'):format(verb, text, hint ~= '' and ' (' .. hint .. ')' or ''), ERROR)
end

--- igor's Python has ended, and with it the connection to the agent.
function M.host_ended()
  for _, job in ipairs(running()) do
    job.status = 255
    job.output:say('', "igor's Python has ended; the job may go on: igor jobs", 'IgorError')
    job.output:flush()
  end
  by_request, channel = {}, nil
end

local function with_number(number)
  for _, job in ipairs(order) do
    if tostring(job.number) == number then
      return job
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

--- The jobs that :IgorCancel means: all with a bang, else one.
local function meant(number, all)
  local jobs = running()
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
function M.cancel(number, all)
  for _, job in ipairs(meant(number, all)) do
    vim.rpcnotify(channel, 'igor:cancel', job.request)
  end
end

--- :IgorOutput
function M.show(number)
  local job = order[#order]
  if number ~= '' then
    job = with_number(number)
  elseif not job then
    notice.say('no job was started here yet')
  end
  if job then
    job.output:open()
  end
end

--- The agent's numbers of the jobs, for completion.
function M.numbers()
  local numbers = {}
  for _, job in ipairs(order) do
    numbers[#numbers + 1] = job.number and tostring(job.number)
  end
  return numbers
end

--- See require('igor').status().
function M.status()
  local jobs, last = running(), order[#order]
  if #jobs > 1 then
    return ('igor: %d jobs'):format(#jobs)
  elseif #jobs == 1 then
    return 'igor: ' .. jobs[1].verb .. ' …'
  elseif last then
    return ('igor: %s %s'):format(last.verb, last.status == 0 and 'ok' or 'failed')
  end
  return ''
end

return M
