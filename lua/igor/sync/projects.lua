-- The projects with open files. The agent watches each from its first buffer to its last; the
-- freshness that it reports is kept for the statusline.
local agent = require('igor.client')
local freshness = require('igor.sync.freshness')
local project = require('igor.project')
local starter = require('igor.client.starter')

local M = {}

-- `:e` unloads a buffer and reads it again, so a project is closed only after this time without
-- buffers.
local CLOSE_MS = 1000
-- The exit status of a watch whose agent exits.
local CANCELLED = 130
-- The age in "stale 5m" changes without an event.
local REDRAW_MS = 20000

---@class IgorProject
---@field buffers integer
---@field event IgorFreshnessEvent|nil  the last one
---@field wants boolean|nil  push_on_write of the config, as last read
---@field told table  notices shown so far
---@field head table|nil  the watch on git's HEAD

---@type table<string, IgorProject>
local projects = {}
local shown = {}
local redraw_timer

local function redraw()
  for root in pairs(projects) do
    local text = M.text(root)
    if shown[root] ~= text then
      shown[root] = text
      vim.cmd.redrawstatus({ bang = true })
    end
  end
end

local function option()
  return require('igor.options').current.push_on_write
end

--- Return whether saves of this project are pushed, as far as the editor knows.
---@param root string
function M.is_pushing(root)
  local known = projects[root]
  if option() ~= nil then
    return option()
  elseif known and known.event then
    return known.event.push_on_write
  elseif known and known.wants ~= nil then
    return known.wants
  end
  local wants = project.config(root).push_on_write == true
  if known then
    known.wants = wants
  end
  return wants
end

local function took(root, event)
  local known = projects[root]
  if known and event.type == 'freshness' then
    known.event = event
    if event.error and event.error ~= '' then
      freshness.say_once(known.told, event.error)
    end
    freshness.notice(known.told, event)
    if event.push_on_write and not event.trusted then
      require('igor.sync.trust').ask(root, event)
    end
    redraw()
  elseif known and event.type == 'warning' then
    freshness.say_once(known.told, event.text)
  end
end

local function finished(root, outcome)
  local known = projects[root]
  if known then
    known.event = nil
    if outcome.status ~= 0 and outcome.status ~= CANCELLED then
      freshness.say_once(known.told, outcome.error)
    end
    redraw()
  end
end

local function watch(root)
  agent.watch(root, {
    args = { push_on_write = option(), warm = true },
    on_event = function(event)
      vim.schedule(function()
        took(root, event)
      end)
    end,
    on_finished = function(outcome)
      vim.schedule(function()
        finished(root, outcome)
      end)
    end,
  })
end

--- Connect for a project, in the background; start an agent if none runs.
local function warm(root)
  if projects[root] and projects[root].buffers > 0 then
    agent.warm()
    projects[root].head = projects[root].head
      or require('igor.sync.git_head').watch(root, function()
        M.look(root)
      end)
  end
end

local function after_start(act)
  if vim.v.vim_did_enter == 1 then
    return vim.schedule(act)
  end
  vim.api.nvim_create_autocmd('VimEnter', { once = true, callback = vim.schedule_wrap(act) })
end

--- A buffer of the project was opened.
---@param root string
function M.enter(root)
  local known = projects[root]
  if not known then
    known = { buffers = 0, told = {} }
    projects[root] = known
    watch(root)
    starter.python = require('igor.python').of_agent()
    after_start(function()
      warm(root)
    end)
    redraw_timer = redraw_timer or assert(vim.uv.new_timer())
    redraw_timer:start(REDRAW_MS, REDRAW_MS, vim.schedule_wrap(redraw))
  end
  known.buffers = known.buffers + 1
end

local function close(root)
  local known = projects[root]
  if known and known.buffers == 0 then
    if known.head then
      known.head:close()
    end
    projects[root], shown[root] = nil, nil
    agent.unwatch(root)
    if not next(projects) then
      redraw_timer:stop()
    end
  end
end

--- A buffer of the project was unloaded.
---@param root string
function M.leave(root)
  projects[root].buffers = projects[root].buffers - 1
  vim.defer_fn(function()
    close(root)
  end, CLOSE_MS)
end

--- Ask the agent to check the project for changes.
---@param root string
function M.look(root)
  if projects[root] then
    agent.save(root, {})
  end
end

--- Ask the agent to check all projects, and connect again if necessary. Watch a project again if
--- its watch has ended, e.g. because of a broken config.
function M.look_at_all()
  for root, known in pairs(projects) do
    known.wants = nil
    if not agent.is_watched(root) then
      watch(root)
    end
    if M.is_pushing(root) then
      agent.warm()
    end
    M.look(root)
  end
end

--- The editor has written or deleted a file of the project.
---@param root string
---@param path string
function M.saved(root, path)
  local known = projects[root]
  if known and path == project.CONFIG then
    known.wants = nil
    if not agent.is_watched(root) then
      watch(root)
    end
  end
  if M.is_pushing(root) then
    agent.save(root, { path })
  end
end

--- See require('igor').status(). Return nil if nothing is known about the project.
---@param root string
function M.text(root)
  local known = projects[root]
  local event = known and known.event
  if event and (event.trusted or event.push_on_write) then
    return agent.is_up() and freshness.text(event, os.time()) or 'no agent'
  end
end

--- See require('igor').freshness().
function M.all()
  local found = {}
  for root, known in pairs(projects) do
    found[root] = vim.deepcopy(known.event or {})
    found[root].connected = agent.is_up()
  end
  return found
end

agent.on_change = redraw

return M
