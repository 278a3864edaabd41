-- Find the project, and read the parts of its config that the editor needs before any Python runs.
local M = {}

--- Path of the config in a project.
M.CONFIG = '.igor/config.json'

--- Path of the file that lists the files to send to no host.
M.IGNORE = '.igor/ignore'

--- Return the directory of the project around `path` (a file or directory), or nil outside of one.
---@param path string
function M.root(path)
  local found = vim.fs.find(M.CONFIG, { upward = true, path = path, type = 'file', limit = 1 })[1]
  return found and vim.fs.dirname(vim.fs.dirname(found))
end

--- Return the real path of a file that need not exist yet.
local function real(path)
  local found = vim.uv.fs_realpath(path)
  local parent, name = path:match('^(.*)/([^/]*)$')
  if found or not parent then
    return found
  end
  local above = parent == '' and '/' or real(parent)
  return above and (above == '/' and '' or above) .. '/' .. name
end

--- Real directories of files → the roots of their projects.
local roots = {}

--- Return the root of the project that a file belongs to, and the file's path in it; nil outside of
--- one. Links are followed: the file's real path counts.
---@param path string
function M.locate(path)
  path = vim.startswith(path, '/') and real(path)
  local folder = path and vim.fs.dirname(path)
  if not folder then
    return
  end
  local root = roots[folder]
  if not root then
    root = M.root(folder)
    roots[folder] = root
  end
  if root then
    return root, path:sub(root == '/' and 2 or #root + 2)
  end
end

--- Do the same for the file of a buffer; return nil if the buffer is no file.
---@param buf integer
function M.locate_buffer(buf)
  if vim.bo[buf].buftype == '' then
    return M.locate(vim.api.nvim_buf_get_name(buf))
  end
end

--- Return the directory of the file in buffer `buf`, or nil if it is not a local file (scp://…).
local function folder(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.bo[buf].buftype == '' and vim.startswith(name, '/') then
    return vim.fs.dirname(vim.fs.normalize(name))
  end
end

--- Return what a command given now acts on: the project of the buffer (a file, or the output of a
--- job), else that of the working directory; outside of any project, the directory itself.
function M.place()
  local here = vim.b.igor_root or folder(0)
  local cwd = vim.fn.getcwd()
  return here and M.root(here) or M.root(cwd) or here or cwd
end

--- Return the text of a file of the project, or nil if there is none. Only read regular files:
--- reading a pipe would block the editor.
---@param root string
---@param name string
function M.text(root, name)
  local path = root .. '/' .. name
  local stat = vim.uv.fs_stat(path)
  local file = stat and stat.type == 'file' and io.open(path, 'rb')
  if file then
    local text = file:read('*a')
    file:close()
    return text
  end
end

--- Return the config without checking it; empty if it can't be read.
---@param root string
function M.config(root)
  local text = M.text(root, M.CONFIG)
  local ok, config = pcall(vim.json.decode, text, { luanil = { object = true, array = true } })
  return ok and type(config) == 'table' and config or {}
end

--- Return the host groups of the project in `root`: name → names of hosts. Empty if the config
--- can't be read: the agent reports its errors.
---@param root string
function M.groups(root)
  local config = M.config(root)
  local groups = {}
  if type(config.host_groups) == 'table' then
    for name, group in pairs(config.host_groups) do
      groups[name] = M.host_names(group)
    end
  end
  return groups
end

--- Return the names in the config's table debug.programs.
---@param root string|nil
---@return string[]
function M.debug_programs(root)
  local config = root and M.config(root) or {}
  local programs = type(config.debug) == 'table' and config.debug.programs
  return type(programs) == 'table' and vim.tbl_keys(programs) or {}
end

---@param group any
function M.host_names(group)
  local names = {}
  if type(group) == 'table' and type(group.hosts) == 'table' then
    for _, host in ipairs(group.hosts) do
      names[#names + 1] = type(host) == 'table' and type(host.host) == 'string' and host.host or nil
    end
  end
  return names
end

--- Return a path as Neovim shows files that it opens itself: relative to the working directory if
--- below.
---@param path string
function M.shown(path)
  return vim.startswith(path, '/') and vim.fn.fnamemodify(path, ':.') or path
end

--- Return the project's modified buffers: buffer → path in the project.
---@param root string
function M.unwritten(root)
  local found = {}
  root = vim.uv.fs_realpath(root) or root
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[buf].modified then
      local its, path = M.locate_buffer(buf)
      found[buf] = its == root and path or nil
    end
  end
  return found
end

return M
