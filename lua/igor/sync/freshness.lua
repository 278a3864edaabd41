-- Describe the freshness of the hosts, as the agent reports it: for the statusline, and as notices
-- shown once.
local notice = require('igor.ui.notice')

local M = {}

local WARN = vim.log.levels.WARN

local function age(since, now)
  local seconds = type(since) == 'number' and math.max(0, math.floor(now - since))
  if not seconds then
    return ''
  elseif seconds < 60 then
    return (' %ds'):format(seconds - seconds % 20)
  elseif seconds < 3600 then
    return (' %dm'):format(seconds / 60)
  elseif seconds < 86400 then
    return (' %dh'):format(seconds / 3600)
  end
  return (' %dd'):format(seconds / 86400)
end

local function state_of(host, now)
  if host.state == 'syncing' then
    return ('syncing %d'):format(host.pending or 0)
  elseif host.state == 'stale' then
    return 'stale' .. age(host.since, now)
  end
  return host.state
end

local function held_back(event)
  local seen, count = {}, 0
  for _, host in ipairs(event.hosts) do
    for _, path in ipairs(host.held_back) do
      count = count + (seen[path] and 0 or 1)
      seen[path] = true
    end
  end
  return count
end

--- Return the states in order of appearance, and the hosts in each.
local function by_state(event, now)
  local states, hosts = {}, {}
  for _, host in ipairs(event.hosts) do
    local state = state_of(host, now)
    if not hosts[state] then
      hosts[state] = {}
      states[#states + 1] = state
    end
    table.insert(hosts[state], host.host)
  end
  return states, hosts
end

--- Return "fresh", "syncing 3", "offline (apollo)", "fresh, 2 held back", … Hosts in the same state
--- are grouped; they are named if others are in another state, or if they can't be reached.
---@param event IgorFreshnessEvent
---@param now number  unix time
---@return string
function M.text(event, now)
  if not event.trusted then
    return 'not trusted'
  end
  local parts = {}
  local states, hosts = by_state(event, now)
  for _, state in ipairs(states) do
    local named = state == 'offline' or state == 'needs login' or #states > 1 and state ~= 'fresh'
    if named then
      parts[#parts + 1] = ('%s (%s)'):format(state, table.concat(hosts[state], ', '))
    elseif state ~= 'fresh' or #states == 1 then
      parts[#parts + 1] = state
    end
  end
  local held = held_back(event)
  if held > 0 then
    -- Omit "fresh" if files are held back on otherwise fresh hosts.
    parts = #parts == 1 and parts[1] == 'fresh' and {} or parts
    parts[#parts + 1] = ('%d held back'):format(held)
  end
  return table.concat(parts, ', ')
end

--- Show a notice, unless `told` says that it was shown before.
---@param told table<string, any>
---@param text string
function M.say_once(told, text)
  if not told[text] then
    told[text] = true
    notice.say(text, WARN)
  end
end

local REACHED = { fresh = true, syncing = true, stale = true }

--- Return the hosts that are newly in `state`.
local function newly(told, event, state)
  local names = {}
  for _, host in ipairs(event.hosts) do
    local key = state .. ' ' .. host.host
    if host.state == state and not told[key] then
      told[key] = true
      names[#names + 1] = host.host
    end
  end
  return names
end

--- Return the hosts that were reported as unreachable and can be reached again.
local function back(told, event)
  local names = {}
  for _, host in ipairs(event.hosts) do
    local offline, login = 'offline ' .. host.host, 'needs login ' .. host.host
    if REACHED[host.state] and (told[offline] or told[login]) then
      told[offline], told[login] = nil, nil
      names[#names + 1] = host.host
    end
  end
  return names
end

--- Return the paths that are held back and were not before: path → hosts.
local function newly_held(told, event)
  local before, now, new = told.held or {}, {}, {}
  for _, host in ipairs(event.hosts) do
    for _, path in ipairs(host.held_back) do
      now[path] = true
      if not before[path] then
        new[path] = new[path] or {}
        table.insert(new[path], host.host)
      end
    end
  end
  told.held = now
  return new
end

local function say_hosts(names, text, level)
  if #names > 0 then
    notice.say(('%s: %s'):format(table.concat(names, ', '), text), level)
  end
end

local function say_held(new)
  local path, hosts = next(new)
  if path and not next(new, path) then
    local text = '%s was changed on %s and is held back: :IgorDiff'
    notice.say(text:format(path, table.concat(hosts, ', ')), WARN)
  elseif path then
    local text = '%d files are held back: :IgorPush says why'
    notice.say(text:format(vim.tbl_count(new)), WARN)
  end
end

--- Return why the first of these hosts needs a person, in parentheses; '' if nothing is known.
local function reason(event, names)
  for _, host in ipairs(event.hosts) do
    if host.host == names[1] and host.error ~= '' then
      return (' (%s)'):format(host.error)
    end
  end
  return ''
end

--- Report what got worse and what recovered, each once.
---@param told table  notices shown so far, kept by the caller for each project
---@param event IgorFreshnessEvent
function M.notice(told, event)
  if event.push_on_write and event.trusted then
    say_hosts(newly(told, event, 'offline'), 'offline; saves wait', WARN)
    local refused = newly(told, event, 'needs login')
    say_hosts(refused, ('needs a login%s, :IgorPush asks; saves wait'):format(reason(event, refused)), WARN)
    say_hosts(back(told, event), 'back')
    say_held(newly_held(told, event))
  end
end

return M
