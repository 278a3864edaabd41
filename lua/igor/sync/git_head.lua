-- Notice when git changes the checked-out files: a branch switch, a reset, a pull, a stash.
local uv = vim.uv

local M = {}

-- git writes several files in a row; wait for the last one.
local PAUSE_MS = 150

-- The files in .git that git rewrites when it changes the working tree: HEAD on a switch, ORIG_HEAD
-- on reset, merge and rebase, the index on nearly all of them.
local TELLING = { HEAD = true, ORIG_HEAD = true, index = true }

--- Return the git directory for the files in `root`, or nil outside of a repository. In a worktree
--- or submodule, `.git` is a file that names it.
---@param root string
function M.folder(root)
  local found = vim.fs.find('.git', { upward = true, path = root, limit = 1 })[1]
  local stat = found and uv.fs_stat(found)
  if not stat or stat.type == 'directory' then
    return found
  end
  local file = stat.type == 'file' and io.open(found, 'r')
  local named = file and file:read('*l') or ''
  if file then
    file:close()
  end
  local folder = named:match('^gitdir: (.+)$')
  if folder then
    return vim.startswith(folder, '/') and folder or vim.fs.dirname(found) .. '/' .. folder
  end
end

--- Call `act` after each change, until close() is called. Return nil if there is no repository.
---@param root string
---@param act fun()
function M.watch(root, act)
  local folder = M.folder(root)
  local event, timer = uv.new_fs_event(), uv.new_timer()
  local function close()
    event:close()
    timer:close()
  end
  local started = folder and event:start(folder, {}, function(_, name)
    if TELLING[name] then
      timer:start(PAUSE_MS, 0, act)
    end
  end)
  if not started then
    return close()
  end
  return { close = close }
end

return M
