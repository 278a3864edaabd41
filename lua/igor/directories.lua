-- The directories for igor's own local files, as in igor_core/directories.py.
local uv = vim.uv

local M = {}

--- The checkout that contains this file.
M.checkout = vim.fn.resolve(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h'))

local function variable(name)
  local value = uv.os_getenv(name)
  return value ~= '' and value or nil
end

--- Return what a login sets XDG_RUNTIME_DIR to under systemd, where a program was started without
--- it (cron, su); nil if there is none.
local function systemds_folder()
  local folder = ('/run/user/%d'):format(uv.getuid())
  local found = uv.fs_lstat(folder)
  return found and found.type == 'directory' and found.uid == uv.getuid() and folder or nil
end

--- Return the directory of the agent's socket.
function M.runtime()
  local base = variable('XDG_RUNTIME_DIR') or systemds_folder()
  return base and base .. '/igor' or ('/tmp/igor-%d'):format(uv.getuid())
end

function M.state()
  local base = variable('XDG_STATE_HOME') or (uv.os_homedir() .. '/.local/state')
  return base .. '/igor'
end

--- Return whether only the user can access the socket's directory: any other user who listened in
--- it would learn what is saved. True if it does not exist.
---@param folder string
function M.is_private(folder)
  local found = uv.fs_lstat(folder)
  if not found then
    return true
  end
  return found.type == 'directory' and found.uid == uv.getuid() and found.mode % 64 == 0
end

--- Make a directory and its missing parents; new ones are private.
---@param folder string
function M.make(folder)
  if not uv.fs_stat(folder) then
    M.make(folder:match('^(.*)/[^/]*$'))
    uv.fs_mkdir(folder, 448) -- 0700
  end
end

--- Return whether a directory is the user's. Remove the access of others, if they have any.
local function is_own(folder)
  local found = uv.fs_stat(folder)
  if not found or found.uid ~= uv.getuid() then
    return false
  end
  return found.mode % 64 == 0 or uv.fs_chmod(folder, 448) == true
end

--- Open a file of the state directory for appending. Return nil if that fails or the directory
--- belongs to another user.
---@param name string
function M.append_to(name)
  M.make(M.state())
  if not is_own(M.state()) then
    return nil
  end
  return uv.fs_open(M.state() .. '/' .. name, 'a', 384) -- 0600
end

return M
