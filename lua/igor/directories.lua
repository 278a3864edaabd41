-- Where igor keeps its own files on this machine, as igor_core/directories.py says.
local uv = vim.uv

local M = {}

--- The checkout that this file is part of.
M.checkout = vim.fn.resolve(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h'))

local function variable(name)
  local value = uv.os_getenv(name)
  return value ~= '' and value or nil
end

--- The folder of the agent's socket.
function M.runtime()
  local base = variable('XDG_RUNTIME_DIR')
  return base and base .. '/igor' or ('/tmp/igor-%d'):format(uv.getuid())
end

function M.state()
  local base = variable('XDG_STATE_HOME') or (uv.os_homedir() .. '/.local/state')
  return base .. '/igor'
end

--- Whether the folder of the socket is the user's alone: who else listened there would learn what is
--- saved. True where there is none.
---@param folder string
function M.is_private(folder)
  local found = uv.fs_lstat(folder)
  if not found then
    return true
  end
  return found.type == 'directory' and found.uid == uv.getuid() and found.mode % 64 == 0
end

--- Make a folder and those above it that are missing; a new one is private.
---@param folder string
function M.make(folder)
  if not uv.fs_stat(folder) then
    M.make(folder:match('^(.*)/[^/]*$'))
    uv.fs_mkdir(folder, 448) -- 0700
  end
end

--- Whether a folder is the user's; one that others may enter is closed to them.
local function is_own(folder)
  local found = uv.fs_stat(folder)
  if not found or found.uid ~= uv.getuid() then
    return false
  end
  return found.mode % 64 == 0 or uv.fs_chmod(folder, 448) == true
end

--- Open a file of the state folder for what is appended; nil where that can't be done, or the folder
--- is somebody else's.
---@param name string
function M.append_to(name)
  M.make(M.state())
  if not is_own(M.state()) then
    return nil
  end
  return uv.fs_open(M.state() .. '/' .. name, 'a', 384) -- 0600
end

return M
