-- Requests on the editor's own connection: their numbers, who hears of them, and those that wait until
-- an agent is there.
local frames = require('igor.client.frames')

local M = {}

---@class IgorHandlers  of a request
---@field event fun(event: table)
---@field finished fun(outcome: IgorOutcome)

---@class IgorQuery  a request of which only the end is of interest
---@field verb string
---@field root string
---@field args table
---@field finished fun(outcome: IgorOutcome)
---@field request integer|nil  its number on this connection
---@field timer table

-- Who is in front of the editor does not wait longer for an agent to come up.
local PATIENCE_MS = 10000

---@type table<integer, IgorHandlers>
local handlers = {}
local next_number = 1
---@type table<IgorQuery, true>  that have not ended
local queries = {}

--- The number of a new request that its `handlers` are called for.
---@param its IgorHandlers
function M.number(its)
  local request = next_number
  next_number = next_number + 2
  handlers[request] = its
  return request
end

--- Nothing more is wanted of it.
---@param request integer
function M.forget(request)
  handlers[request] = nil
end

---@param request integer
---@param event table
function M.event(request, event)
  if handlers[request] then
    handlers[request].event(event)
  end
end

---@param request integer
---@param outcome IgorOutcome
function M.finished(request, outcome)
  local its = handlers[request]
  handlers[request] = nil
  if its then
    its.finished(outcome)
  end
end

local function ended(query, outcome)
  if queries[query] then
    queries[query] = nil
    query.timer:close()
    query.finished(outcome)
  end
end

local function failed(query, error, hint)
  if query.request then
    M.forget(query.request)
  end
  ended(query, { status = 255, error = error, hint = hint, results = {}, data = vim.NIL })
end

--- Take in a request; take() has its frame. `finished` is called once, also where no agent comes up.
---@param verb string
---@param root string
---@param args table
---@param finished fun(outcome: IgorOutcome)
function M.ask(verb, root, args, finished)
  local query = { verb = verb, root = root, args = args, finished = finished }
  query.timer = assert(vim.uv.new_timer())
  queries[query] = true
  query.timer:start(PATIENCE_MS, 0, function()
    if not query.request then
      failed(query, 'no agent answers', 'igor agent log')
    end
  end)
end

--- Whether any has not ended.
function M.any()
  return next(queries) ~= nil
end

--- The frames of those that this connection does not have yet; to be sent once an agent has answered
--- on it.
function M.take()
  local texts = {}
  for query in pairs(queries) do
    if not query.request then
      query.request = M.number({
        event = function() end,
        finished = function(outcome)
          ended(query, outcome)
        end,
      })
      texts[#texts + 1] = frames.request(query.request, query.verb, query.root, query.args)
    end
  end
  return table.concat(texts)
end

--- The connection has ended. What the agent had begun is lost with it; the rest waits for another.
function M.lost()
  handlers = {}
  for _, query in ipairs(vim.tbl_keys(queries)) do
    if query.request then
      failed(query, 'the agent has gone away', 'igor agent log')
    end
  end
end

--- No agent can be had: nobody waits any longer.
---@param error string
---@param hint string
function M.fail_all(error, hint)
  for _, query in ipairs(vim.tbl_keys(queries)) do
    failed(query, error, hint)
  end
end

return M
