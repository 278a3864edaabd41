-- The saves that the agent has not taken in yet. What has left for it stays here until it speaks of
-- the project: what was on its way when a connection ended goes into the file.
local frames = require('igor.client.frames')
local offline = require('igor.client.offline')

local M = {}

---@alias IgorSaves table<string, table<string, true>>  root → set of paths; the path '' is a look

---@type IgorSaves  that have not left; that left and that no freshness event has followed
local pending, uncovered = {}, {}
---@type IgorSaves|nil  that are in the file while the socket is tried once more
local aside

local function add(saves, more)
  for root, paths in pairs(more) do
    saves[root] = saves[root] or {}
    for path in pairs(paths) do
      saves[root][path] = true
    end
  end
end

--- One frame for the files of each project, and one for its look.
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

--- Take in a save of these paths; none: a look.
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

--- Whether any have not left.
function M.any()
  return next(pending) ~= nil
end

--- What is pending, as frames; from now on it waits to be covered.
function M.take()
  local saves = pending
  pending = {}
  add(uncovered, saves)
  return frames_of(saves)
end

--- The agent has spoken of the project.
---@param root string
function M.covered(root)
  uncovered[root] = nil
end

function M.all_covered()
  uncovered = {}
end

--- Put saves into the file; where it can't be written, they wait here. Whether it was.
local function keep(saves)
  local kept = offline.append(saves)
  if not kept then
    add(pending, saves)
  end
  return kept
end

--- Put what is pending into the file. Whether that was done.
function M.keep()
  local saves = pending
  pending = {}
  return keep(saves)
end

--- The same, for as long as the socket is tried once more.
function M.set_aside()
  aside, pending = pending, {}
  return keep(aside)
end

function M.are_aside()
  return aside ~= nil
end

--- They are the file's; or with `again`, they are pending once more.
---@param again boolean
function M.end_aside(again)
  add(pending, again and aside or {})
  aside = nil
end

--- The connection has ended: put into the file what left and was not covered. Whether there was any,
--- and whether it is in the file.
function M.lost()
  local saves = uncovered
  uncovered = {}
  return next(saves) ~= nil, keep(saves)
end

--- Whatever the agent has not spoken of goes into the file. Whether that was done.
function M.keep_all()
  add(pending, uncovered)
  return M.keep()
end

return M
