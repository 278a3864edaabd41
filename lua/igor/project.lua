-- Where the project is, and the little of its config that the editor needs before any Python runs.
local M = {}

--- Where the config lies in a project.
M.CONFIG = '.igor/config.json'

--- Where it says which files go to no host.
M.IGNORE = '.igor/ignore'

--- The folder of the project around `path` (a file or folder), nil outside of one.
---@param path string
function M.root(path)
  local found = vim.fs.find(M.CONFIG, { upward = true, path = path, type = 'file', limit = 1 })[1]
  return found and vim.fs.dirname(vim.fs.dirname(found))
end

--- The real path of a file that need not be there yet.
local function real(path)
  local found = vim.uv.fs_realpath(path)
  local parent, name = path:match('^(.*)/([^/]*)$')
  if found or not parent then
    return found
  end
  local above = parent == '' and '/' or real(parent)
  return above and (above == '/' and '' or above) .. '/' .. name
end

--- Real folders of files → the roots of their projects.
local roots = {}

--- The project that a file belongs to, and its path in there; nil outside of one. Links are
--- followed: a file counts where it really lies.
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

--- The same for the file of a buffer; nil where the buffer is none.
---@param buf integer
function M.locate_buffer(buf)
  if vim.bo[buf].buftype == '' then
    return M.locate(vim.api.nvim_buf_get_name(buf))
  end
end

--- The folder of the file in buffer `buf`, nil where the buffer is not a file here (scp://…).
local function folder(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.bo[buf].buftype == '' and vim.startswith(name, '/') then
    return vim.fs.dirname(vim.fs.normalize(name))
  end
end

--- What a command given now acts on: the project of the buffer (a file, or the output of a job),
--- else that of the working directory. Outside of any project, the folder itself.
function M.place()
  local here = vim.b.igor_root or folder(0)
  local cwd = vim.fn.getcwd()
  return here and M.root(here) or M.root(cwd) or here or cwd
end

--- The text of a file of the project, nil where there is none. Of a pipe, the editor would wait for
--- the end.
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

--- The config as it is, with nothing checked; empty where it can't be read.
---@param root string
function M.config(root)
  local text = M.text(root, M.CONFIG)
  local ok, config = pcall(vim.json.decode, text, { luanil = { object = true, array = true } })
  return ok and type(config) == 'table' and config or {}
end

--- The host groups of the project in `root`: name → names of hosts. Empty where the config can't
--- be read: the agent says what is wrong with it.
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

--- Names of the config's table debug.programs.
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

--- A path as Neovim shows those that it opens itself: from the working directory where it is below.
---@param path string
function M.shown(path)
  return vim.startswith(path, '/') and vim.fn.fnamemodify(path, ':.') or path
end

--- Buffers of the project in `root` that were changed and not written: buffer → path in there.
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
