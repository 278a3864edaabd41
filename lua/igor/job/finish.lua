-- The end of a job: its last output, the quickfix list, the message, the autocommand.
local notice = require('igor.ui.notice')
local format = require('igor.ui.format')

local M = {}

local ERROR = vim.log.levels.ERROR

local group = vim.api.nvim_create_augroup('igor_ending', {})
local has_focus = true
---@type table<IgorJob, string>  messages to repeat once the editor has the focus
local unseen = {}

---@param job IgorJob
local function level(job)
  return (job.verdict == 'failed' or job.verdict == 'cancelled') and ERROR or nil
end

vim.api.nvim_create_autocmd('FocusLost', {
  group = group,
  callback = function()
    has_focus = false
  end,
})
vim.api.nvim_create_autocmd('FocusGained', {
  group = group,
  callback = function()
    has_focus = true
    for job, text in pairs(unseen) do
      notice.say(text, level(job))
    end
    unseen = {}
  end,
})

---@param job IgorJob
local function is_visible(job)
  return vim.iter(vim.api.nvim_tabpage_list_wins(0)):any(function(win)
    return vim.api.nvim_win_get_buf(win) == job.output.buf
  end)
end

--- Report the end in the message line. For a long job whose output was not in view, say more, and
--- repeat it when the editor gets the focus.
---@param job IgorJob
---@param outcome IgorOutcome
local function tell(job, outcome, seconds)
  local text = ('%s: %s'):format(job.verb, format.summary(outcome))
  local is_long = seconds >= require('igor.options').current.notify.after
  if is_long and not (has_focus and is_visible(job)) then
    text = ('%s, after %s, see :IgorOutput'):format(text, format.duration(seconds))
    unseen[job] = not has_focus and text or nil
  end
  notice.say(text, level(job))
end

--- Trigger `User IgorJobFinished`; the manual describes its data.
---@param job IgorJob
---@param outcome IgorOutcome
local function announce(job, outcome, seconds, places)
  local hosts = vim.empty_dict()
  for _, result in ipairs(outcome.results) do
    local its = { status = result.status, ok = result.ok, seconds = result.seconds, text = result.text }
    hosts[result.host] = its
  end
  local data = {
    verb = job.verb,
    root = job.root,
    group = job.args.group or 'dev',
    status = outcome.status,
    seconds = seconds,
    error = outcome.error,
    hosts = hosts,
    places = places,
  }
  vim.schedule(function()
    vim.api.nvim_exec_autocmds('User', { pattern = 'IgorJobFinished', modeline = false, data = data })
  end)
end

---@param job IgorJob
---@param outcome IgorOutcome
local function write(job, outcome, seconds, places)
  local output = job.output
  for _, host in ipairs(vim.tbl_keys(output.hosts)) do
    output:settle(host)
  end
  output:settle('')
  -- If the job was cancelled, the hosts' results have already said so.
  if outcome.error ~= '' and not (outcome.status == 130 and #outcome.results > 0) then
    output:say('', outcome.error, 'IgorError')
  end
  if outcome.hint ~= '' then
    output:say('', '  ' .. outcome.hint, 'IgorHint')
  end
  if places > 0 then
    output:say('', ('%d place%s: :cnext'):format(places, places > 1 and 's' or ''), 'IgorHint')
  end
  local how = outcome.status == 0 and 'done' or 'ended'
  output:say('', ('%s in %s'):format(how, format.duration(seconds)), 'IgorTitle')
end

--- Finish a job, for whatever reason it ended.
---@param job IgorJob
---@param outcome IgorOutcome
function M.finish(job, outcome)
  local seconds = (vim.uv.now() - job.began) / 1000
  job.status, job.verdict = outcome.status, format.verdict(outcome)
  local places = require('igor.places.quickfix').count(outcome)
  write(job, outcome, seconds, places)
  require('igor.places.quickfix').show(job, outcome)
  tell(job, outcome, seconds)
  announce(job, outcome, seconds, places)
end

return M
