-- Show what jobs report: receive the bridge's batches of events.
local ending = require('igor.job.finish')
local jobs = require('igor.job.list')
local exit_guard = require('igor.command.exit_guard')
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')
local format = require('igor.ui.format')
local verbs = require('igor.command.generated').verbs

local M = {}

local channel
local born = 0

local ERROR, WARN = vim.log.levels.ERROR, vim.log.levels.WARN

--- Return what a job runs, in a few words; nil if it runs no program of the user's.
local function command(args)
  local module = args.module and '-m ' .. args.module
  local file = args.file and vim.fs.basename(args.file) or args.program or module or args.test or args.name
  return args.shell or file and table.concat({ file, unpack(args.args or {}) }, ' ')
end

local function title(verb, args)
  local parts = { 'igor ' .. verb, args.hosts and table.concat(args.hosts, ', ') or args.group or 'dev' }
  parts[3] = command(args)
  return table.concat(parts, ' · ')
end

local function is_listed(verb)
  return vim.tbl_contains(require('igor.options').current.output.open, verb)
end

---@param job IgorJob
local function warn_unwritten(job, root)
  local names = vim.tbl_values(project.unwritten(root))
  if #names > 0 then
    table.sort(names)
    local text = ('not written, so not sent (:wall): %s'):format(table.concat(names, ', '))
    job.output:say('', text, 'IgorWarning')
    notice.say(text, WARN)
  end
end

local on = {}

---@param request integer
---@param event IgorStartedEvent
function on.started(request, event)
  exit_guard.heard()
  born = born + 1
  local hosts = event.args.hosts or project.groups(event.root)[event.args.group or 'dev'] or {}
  local name = ('igor-output://%d/%s'):format(born, event.verb)
  local output = require('igor.ui.output').new(name, event.root, hosts)
  local job = { request = request, verb = event.verb, born = born, output = output, questions = 0 }
  job.began, job.root, job.args = vim.uv.now(), event.root, event.args
  job.title = title(event.verb, event.args)
  local about = vim.b[output.buf]
  about.igor_group, about.igor_host = event.args.group, #hosts == 1 and hosts[1] or nil
  about.igor_file = event.args.file
  require('igor.places').map(output.buf)
  jobs.add(job)
  output:say('', job.title, 'IgorTitle')
  if verbs[job.verb].pushes and not event.args.no_push and not event.args['end'] then
    warn_unwritten(job, event.root)
  end
  if verbs[job.verb].debugs then
    require('igor.debug').started(job)
  end
  if is_listed(job.verb) then
    output:open()
  end
end

---@param job IgorJob
---@param event IgorAcceptedEvent
function on.accepted(job, event)
  job.number = event.job
end

---@param job IgorJob
---@param event IgorStepEvent
function on.step(job, event)
  job.output:say(event.host, event.text, 'IgorStep')
end

---@param job IgorJob
---@param event IgorWarningEvent
function on.warning(job, event)
  job.output:say(event.host, event.text, 'IgorWarning')
  if event.hint ~= '' then
    job.output:say(event.host, '  ' .. event.hint, 'IgorHint')
  end
end

---@param job IgorJob
---@param event IgorOutputEvent
function on.output(job, event)
  job.output:write(event.host, event.stream, event.data)
end

---@param job IgorJob
---@param event IgorProgressEvent
function on.progress(job, event)
  local complete = event.total > 0 and event.done >= event.total
  job.output:set_progress(event.host, not complete and format.progress(event) or nil)
end

---@param job IgorJob
---@param event IgorPromptEvent
function on.prompt(job, event)
  local from = channel
  job.questions = job.questions + 1
  if vim.api.nvim_get_mode().mode ~= 'n' then
    -- Don't quote the question: the user might take this line for the place to answer it.
    job.output:say(event.host, 'has a question, which comes up in normal mode', 'IgorWarning')
    job.output:open()
  end
  require('igor.job.ask').ask({
    host = event.host,
    text = event.text,
    echo = event.echo,
    wanted = function()
      return not job.status
    end,
    answer = function(text)
      job.questions = job.questions - 1
      local given = text == nil and vim.NIL or text
      pcall(vim.rpcnotify, from, 'igor:answer', job.request, event.prompt, given)
    end,
  })
end

---@param job IgorJob
---@param event IgorResult
function on.result(job, event)
  job.output:settle(event.host)
  job.output:say(event.host, format.result(event), event.ok and 'IgorOk' or 'IgorError')
  if event.hint ~= '' then
    job.output:say(event.host, '  ' .. event.hint, 'IgorHint')
  end
end

---@param job IgorJob
---@param event IgorInputEvent
function on.opened(job, event)
  require('igor.job.input').opened(job, event)
end

---@param job IgorJob
---@param event IgorInputEvent
function on.closed(job, event)
  require('igor.job.input').closed(job, event)
end

---@param job IgorJob
---@param event table
function on.debuggee(job, event)
  require('igor.debug').listens(job, event)
end

on['lost-debuggee'] = function(job, event)
  require('igor.debug').lost(job, event)
end

---@param job IgorJob
---@param outcome IgorOutcome
local function finish(job, outcome)
  ending.finish(job, outcome)
  require('igor.job.input').ended(job)
  if job.debug_sessions then
    require('igor.debug').ended(job, outcome)
  end
  if outcome.status ~= 0 and not is_listed(job.verb) then
    job.output:open()
  end
end

on.finished = finish

---@param job IgorJob
---@param event IgorLostEvent
function on.lost(job, event)
  finish(job, { type = 'lost', status = 255, error = event.error, hint = event.hint, results = {} })
end

local function meet(new_channel)
  if channel ~= new_channel then
    channel = new_channel
    jobs.channel = new_channel
    require('igor.ui.highlights').define()
  end
end

local function take(request, event)
  if event.type == 'started' then
    return on.started(request, event)
  end
  local job = jobs.get(request)
  if job and job.verb == 'diff' then
    event = require('igor.diff').received(job, event)
  end
  if job and not job.status and on[event.type] then
    on[event.type](job, event)
  end
end

--- Call a function and report its errors, so that one bad event does not stop the others.
local function guarded(act, ...)
  local ok, err = pcall(act, ...)
  if not ok then
    notice.say('this is a bug: ' .. tostring(err), ERROR)
  end
end

--- Show the jobs' new output and tell the bridge. Throw an error while the editor forbids changes.
local function show(touched)
  for job in pairs(touched) do
    local ok, err = pcall(job.output.flush, job.output)
    if not ok and readiness.is_lock(err) then
      error(err, 0)
    end
    guarded(assert, ok, err)
  end
  pcall(vim.rpcnotify, channel, 'igor:consumed')
  vim.cmd.redrawstatus({ bang = true })
end

--- Receive a batch from the bridge: pairs of a request and its event. The bridge sends the next
--- batch only after it is told that this one is shown.
---@param from integer
---@param batch table[]
function M.receive(from, batch)
  meet(from)
  local touched = {}
  for _, pair in ipairs(batch) do
    guarded(take, pair[1], pair[2])
    local job = jobs.get(pair[1])
    if job then
      touched[job] = true
    end
  end
  readiness.persist(function()
    show(touched)
  end)
end

--- Report a command that was not understood.
---@param verb string
---@param text string
---@param hint string
function M.refuse(verb, text, hint)
  exit_guard.heard()
  if verbs[verb].debugs then
    require('igor.debug').refused()
  end
  notice.say(('%s: %s%s'):format(verb, text, hint ~= '' and ' (' .. hint .. ')' or ''), ERROR)
end

--- igor's Python has ended, and with it the connection to the agent.
function M.host_ended()
  for _, job in ipairs(jobs.running()) do
    job.status = 255
    job.output:say('', "igor's Python has ended; the job may go on, see: igor jobs", 'IgorError')
    job.output:flush()
  end
  jobs.detach()
  channel = nil
end

return M
