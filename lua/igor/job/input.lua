-- Input for a program that runs on a host: it is open for as long as the agent says so.
local notice = require('igor.ui.notice')

local M = {}

-- The keys that start typing.
local KEYS = { 'i', 'a', 'I', 'A' }

local function send(stream, text)
  pcall(vim.rpcnotify, require('igor.job.list').channel, 'igor:input', stream, text or vim.NIL)
end

--- Show the typed text where a terminal would: after the program's prompt.
---@param job IgorJob
local function echo(job, host, text)
  if text then
    job.output:write(host, 'stdout', text .. '\n')
  else
    job.output:say(host, 'end of input', 'IgorStep')
  end
  job.output:flush()
end

---@param job IgorJob
local function give(job, host, text)
  local stream = job.inputs and job.inputs[host]
  if not stream then
    return notice.say('the program takes no input any more', vim.log.levels.WARN)
  end
  send(stream, text and text .. '\n')
  echo(job, host, text)
  if not text then
    job.inputs[host] = nil
  end
end

---@param job IgorJob
local function ask(job, host)
  vim.ui.input({ prompt = ('input to %s: '):format(host) }, function(text)
    if text then
      give(job, host, text)
    end
  end)
end

--- Call `act` with one of the hosts whose programs take input; the user chooses if there are
--- several.
---@param job IgorJob
local function with_host(job, act)
  local hosts = vim.tbl_keys(job.inputs)
  table.sort(hosts)
  if #hosts == 1 then
    return act(hosts[1])
  end
  vim.ui.select(hosts, { prompt = 'Input to which host?' }, function(host)
    if host then
      act(host)
    end
  end)
end

---@param job IgorJob
local function is_open(job)
  return job.inputs and next(job.inputs) ~= nil
end

--- Return the job of the buffer, else the last one that takes input.
local function meant()
  local here = vim.api.nvim_get_current_buf()
  local open = vim.tbl_filter(is_open, require('igor.job.list').running())
  return vim.iter(open):find(function(job)
    return job.output.buf == here
  end) or open[#open]
end

--- :IgorInput: send a line, ask for one if `text` is empty, or end the input.
---@param text string
---@param is_end boolean
function M.command(text, is_end)
  local job = meant()
  if not job then
    return notice.say('no program takes input', vim.log.levels.WARN)
  end
  with_host(job, function(host)
    if is_end then
      give(job, host, nil)
    elseif text == '' then
      ask(job, host)
    else
      give(job, host, text)
    end
  end)
end

---@param job IgorJob
local function map(job)
  for _, key in ipairs(KEYS) do
    vim.keymap.set('n', key, function()
      M.command('', false)
    end, { buffer = job.output.buf, desc = "igor: type to the program's input" })
  end
end

--- The agent has opened the input of the program on a host.
---@param job IgorJob
---@param event IgorInputEvent
function M.opened(job, event)
  if not job.inputs then
    job.inputs = {}
    map(job)
  end
  job.inputs[event.host] = event.stream
end

--- The agent has closed the input of the program on a host.
---@param job IgorJob
---@param event IgorInputEvent
function M.closed(job, event)
  for host, stream in pairs(job.inputs or {}) do
    if stream == event.stream then
      job.inputs[host] = nil
    end
  end
end

--- The job has ended: remove its keys for input.
---@param job IgorJob
function M.ended(job)
  if job.inputs and vim.api.nvim_buf_is_valid(job.output.buf) then
    for _, key in ipairs(KEYS) do
      pcall(vim.keymap.del, 'n', key, { buffer = job.output.buf })
    end
  end
  job.inputs = nil
end

return M
