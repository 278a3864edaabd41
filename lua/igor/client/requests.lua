-- Requests on the editor's own connection: their numbers, their handlers, and those that wait until
-- an agent answers.
local frames = require('igor.client.frames')

local M = {}

---@class IgorHandlers  handlers of a request
---@field event fun(event: table)
---@field finished fun(outcome: IgorOutcome)

---@class IgorQuery  a request whose events are ignored, except for its outcome
---@field verb string
---@field root string
---@field args table
---@field finished fun(outcome: IgorOutcome)
---@field request integer|nil  number on this connection
---@field timer table

-- How long a user waits at most for an agent to start.
local PATIENCE_MS = 10000

---@type table<integer, IgorHandlers>
local handlers = {}
local next_number = 1
---@type table<IgorQuery, true>  unfinished queries
local queries = {}

--- Return a number for a new request, whose events and outcome go to these handlers.
---@param its IgorHandlers
function M.number(its)
  local request = next_number
  next_number = next_number + 2
  handlers[request] = its
  return request
end

--- Ignore further events and the outcome of a request.
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

--- Queue a request; take() returns its frame. `finished` is called once, even if no agent starts.
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

--- Return whether any request is unfinished.
function M.any()
  return next(queries) ~= nil
end

--- Return the frames of the requests not yet sent on this connection. Send them once an agent has
--- answered on it.
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

--- The connection has ended: fail the requests that were sent on it. The others wait for the next
--- one.
function M.lost()
  handlers = {}
  for _, query in ipairs(vim.tbl_keys(queries)) do
    if query.request then
      failed(query, 'the agent has gone away', 'igor agent log')
    end
  end
end

--- Fail all requests, because no agent can be reached.
---@param error string
---@param hint string
function M.fail_all(error, hint)
  for _, query in ipairs(vim.tbl_keys(queries)) do
    failed(query, error, hint)
  end
end

return M
