-- The projects whose freshness is watched, on this connection and on those that replace it.
local frames = require('igor.client.frames')
local requests = require('igor.client.requests')
local pending = require('igor.client.pending')

local M = {}

---@class IgorWatch
---@field args table  arguments of the verb "watch"
---@field on_event fun(event: table)
---@field on_finished fun(outcome: IgorOutcome)
---@field request integer|nil  number on this connection

---@type table<string, IgorWatch>
local watches = {}

function M.any()
  return next(watches) ~= nil
end

---@param root string
function M.has(root)
  return watches[root] ~= nil
end

---@param root string
---@param watch IgorWatch
function M.add(root, watch)
  watches[root] = watch
end

--- Stop watching a project. Return its watch, or nil if there was none.
---@param root string
---@return IgorWatch|nil
function M.remove(root)
  local watch = watches[root]
  watches[root] = nil
  return watch
end

--- Return the frame that asks the agent to watch a project that was added.
---@param root string
function M.frame(root)
  local watch = watches[root]
  watch.request = requests.number({
    event = function(event)
      if event.type == 'freshness' then
        pending.covered(root)
      end
      watch.on_event(event)
    end,
    finished = function(outcome)
      if watches[root] == watch then
        watches[root] = nil
      end
      watch.on_finished(outcome)
    end,
  })
  return frames.request(watch.request, 'watch', root, watch.args)
end

--- Return the roots of the watched projects.
function M.roots()
  return vim.tbl_keys(watches)
end

return M
