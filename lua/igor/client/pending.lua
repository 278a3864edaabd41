-- Saves that the agent has not confirmed. A sent save is kept until the agent sends the freshness
-- of its project; if the connection ends before that, the save is written to the file.
local frames = require('igor.client.frames')
local offline = require('igor.client.offline')

local M = {}

---@alias IgorSaves table<string, table<string, true>>  root → paths; '' asks to check all files

---@type IgorSaves  not sent yet; sent, but no freshness event has followed
local pending, uncovered = {}, {}
---@type IgorSaves|nil  in the file while the socket is tried once more
local aside

local function add(saves, more)
  for root, paths in pairs(more) do
    saves[root] = saves[root] or {}
    for path in pairs(paths) do
      saves[root][path] = true
    end
  end
end

--- Encode one frame for the files of each project, and one for each request to check all files.
local function frames_of(saves)
  local texts = {}
  for root, set in pairs(saves) do
    local paths = {}
    for path in pairs(set) do
      paths[#paths + 1] = path ~= '' and path or nil
    end
    if #paths > 0 then
      texts[#texts + 1] = frames.save(root, paths)
    end
    if set[''] then
      texts[#texts + 1] = frames.save(root, {})
    end
  end
  return table.concat(texts)
end

--- Add saves of these paths. An empty list asks the agent to check all files.
---@param root string
---@param paths string[]
function M.add(root, paths)
  local set = {}
  for _, path in ipairs(paths) do
    set[path] = true
  end
  set[''] = #paths == 0 or nil
  add(pending, { [root] = set })
end

--- Return whether any save has not been sent.
function M.any()
  return next(pending) ~= nil
end

--- Return the unsent saves as frames, and keep them until they are confirmed.
function M.take()
  local saves = pending
  pending = {}
  add(uncovered, saves)
  return frames_of(saves)
end

--- Forget the sent saves of a project: the agent has confirmed them.
---@param root string
function M.covered(root)
  uncovered[root] = nil
end

function M.all_covered()
  uncovered = {}
end

--- Write saves to the file; keep them pending if that fails. Return whether it succeeded.
local function keep(saves)
  local kept = offline.append(saves)
  if not kept then
    add(pending, saves)
  end
  return kept
end

--- Write the pending saves to the file. Return whether that succeeded.
function M.keep()
  local saves = pending
  pending = {}
  return keep(saves)
end

--- Write the pending saves to the file like keep(), but remember them while the socket is tried
--- once more.
function M.set_aside()
  aside, pending = pending, {}
  return keep(aside)
end

function M.are_aside()
  return aside ~= nil
end

--- Leave the saves set aside to the file or, with `again`, make them pending again.
---@param again boolean
function M.end_aside(again)
  add(pending, again and aside or {})
  aside = nil
end

--- The connection has ended: write the sent but unconfirmed saves to the file. Return whether there
--- were any, and whether they are in the file.
function M.lost()
  local saves = uncovered
  uncovered = {}
  return next(saves) ~= nil, keep(saves)
end

--- Write all unconfirmed saves to the file. Return whether that succeeded.
function M.keep_all()
  add(pending, uncovered)
  return M.keep()
end

return M
