-- Starts an agent in the background: igor's own Python does it by the rules of
-- igor_core/agent/client.py, so that ten editors at once start one.
local directories = require('igor.directories')
local uv = vim.uv

local M = {}

local START = 'from igor_core.agent.client import connect; connect("nvim", answers=False)'

-- An agent that ends soon after its start is started again only after so long; it doubles.
local FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1000, 120000
-- One that lived so long was well.
local WELL_MS = 60000

--- Set when the editor is not in a libuv callback: finding a Python asks Neovim.
M.python = 'python3'

local running = false
local pause, not_before, last = FIRST_PAUSE_MS, 0, -math.huge

local function environment()
  local found = uv.os_environ()
  local path = found.PYTHONPATH
  found.PYTHONPATH = directories.checkout .. (path and path ~= '' and ':' .. path or '')
  local list = {}
  for name, value in pairs(found) do
    list[#list + 1] = name .. '=' .. value
  end
  return list
end

local function is_too_soon()
  local now = uv.now()
  if now - last > WELL_MS then
    pause = FIRST_PAUSE_MS
  end
  return now < not_before
end

--- Start one, unless that is under way or was tried a moment ago; whether one is starting now.
--- `on_failure(why)` is called where it does not start.
---@param on_failure fun(why: string)
function M.start(on_failure)
  if running or is_too_soon() then
    return running
  end
  local now = uv.now()
  last, not_before, pause = now, now + pause, math.min(pause * 2, LONGEST_PAUSE_MS)
  local log = directories.append_to('agent.log')
  local process
  local options = {
    args = { '-c', START },
    cwd = '/',
    env = environment(),
    stdio = { nil, log, log },
    detached = true,
  }
  process = uv.spawn(M.python, options, function(status)
    running = false
    process:close()
    if status ~= 0 then
      on_failure('see ' .. directories.state() .. '/agent.log')
    end
  end)
  if log then
    uv.fs_close(log)
  end
  running = process ~= nil
  if not process then
    on_failure(M.python .. ' can not be started')
  end
  return running
end

return M
