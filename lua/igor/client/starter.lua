-- Start an agent in the background. igor's own Python does it, by the rules of
-- igor_core/agent/client.py, so that ten editors that start at once start only one agent.
local directories = require('igor.directories')
local uv = vim.uv

local M = {}

local START = 'from igor_core.agent.client import connect; connect("nvim", answers=False)'

-- Pause before an agent is started again that ended soon after its start; it doubles each time.
local FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1000, 120000
-- After this lifetime, an agent counts as having started well, and the pause is reset.
local WELL_MS = 60000

--- The Python to run. Set outside of libuv callbacks, since finding it needs Neovim functions.
M.python = 'python3'

local running = false
local pause, not_before, last = FIRST_PAUSE_MS, 0, -math.huge

local function is_too_soon()
  local now = uv.now()
  if now - last > WELL_MS then
    pause = FIRST_PAUSE_MS
  end
  return now < not_before
end

--- Start an agent, unless one is starting or the last attempt is too recent. Return whether one is
--- starting. `on_failure(why)` is called if the start fails.
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
    -- Not the project's PYTHONPATH; igor is found in the folder that it starts in.
    args = { '-E', '-c', START },
    cwd = directories.checkout,
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
