-- Format times, transfers and ends of jobs.
local M = {}

--- Return a duration: "0.4 s", "12 s", "3 min 20 s".
---@param seconds number
function M.duration(seconds)
  if seconds < 10 then
    return ('%.1f s'):format(seconds)
  elseif seconds < 60 then
    return ('%.0f s'):format(seconds)
  end
  return ('%d min %d s'):format(math.floor(seconds / 60), math.floor(seconds % 60))
end

local function bytes(count)
  for _, unit in ipairs({ 'B', 'kB', 'MB', 'GB' }) do
    if count < 1000 or unit == 'GB' then
      return (unit == 'B' and '%d %s' or '%.1f %s'):format(count, unit)
    end
    count = count / 1000
  end
end

local function amount(count, unit)
  return unit == 'bytes' and bytes(count) or ('%d %s'):format(count, unit)
end

--- Return a progress event as one line: "sending: 1.2 MB of 8.0 MB (15 %), 3.1 MB/s".
---@param event IgorProgressEvent
function M.progress(event)
  local text = ('%s: %s'):format(event.label, amount(event.done, event.unit))
  if event.total > 0 then
    local percent = math.floor(event.done / event.total * 100)
    text = ('%s of %s (%d %%)'):format(text, amount(event.total, event.unit), percent)
  end
  if event.rate > 0 then
    text = ('%s, %s/s'):format(text, amount(event.rate, event.unit))
  end
  return text
end

--- Return how one host ended: "done (12 s)", "failed: no route to host", "cancelled".
---@param result IgorResult
function M.result(result)
  if result.ok then
    local text = result.text ~= '' and result.text or 'done'
    return ('%s (%s)'):format(text, M.duration(result.seconds))
  elseif result.kind == 'cancelled' then
    return 'cancelled' .. (result.text ~= '' and ', ' .. result.text or '')
  elseif result.kind == 'ended' then
    return result.text
  end
  return 'failed: ' .. (result.text ~= '' and result.text or ('exit status %d'):format(result.status))
end

--- Return how one of several hosts ended, short enough for a line that names them all.
local function brief(result)
  if result.ok then
    return ('%s ok (%s)'):format(result.host, M.duration(result.seconds))
  end
  local text = M.result(result):gsub('^failed: ' .. vim.pesc(result.host) .. ': ', 'failed: ')
  return ('%s %s'):format(result.host, text)
end

--- Return a job's end in a word: "ok", "cancelled", "ended" if its user ended it, or "failed".
---@param outcome IgorOutcome
function M.verdict(outcome)
  if outcome.status == 0 then
    return 'ok'
  elseif outcome.status == 130 then
    return 'cancelled'
  end
  local is_wanted = #outcome.results > 0 and vim.iter(outcome.results):all(function(result)
    return result.ok or result.kind == 'ended'
  end)
  return is_wanted and 'ended' or 'failed'
end

--- Return the end of a job in one line. Failures come last, because they are long.
---@param outcome IgorOutcome
function M.summary(outcome)
  if outcome.status == 130 then
    return 'cancelled'
  elseif outcome.error ~= '' then
    return outcome.error
  end
  local results = outcome.results
  if #results == 0 then
    return outcome.status == 0 and 'done' or ('exit status %d'):format(outcome.status)
  elseif #results == 1 then
    return ('%s %s'):format(results[1].host, M.result(results[1]))
  end
  local failed, done = {}, {}
  for _, result in ipairs(results) do
    table.insert(result.ok and done or failed, brief(result))
  end
  return table.concat(vim.list_extend(done, failed), ', ')
end

return M
