-- Where the project is, and the little of its config that the editor needs before any Python runs.
local M = {}

local CONFIG = '.igor/config.json'

--- The folder of the project around `path` (a file or folder), nil outside of one.
function M.root(path)
  local found = vim.fs.find(CONFIG, { upward = true, path = path, type = 'file', limit = 1 })[1]
  return found and vim.fs.dirname(vim.fs.dirname(found))
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

--- The config's text, nil where there is none. Of a pipe, the editor would wait for the end.
local function config_text(root)
  local path = root .. '/' .. CONFIG
  local stat = vim.uv.fs_stat(path)
  local file = stat and stat.type == 'file' and io.open(path, 'rb')
  if file then
    local text = file:read('*a')
    file:close()
    return text
  end
end

--- The host groups of the project in `root`: name → names of hosts. Empty where the config can't
--- be read: the agent says what is wrong with it.
function M.groups(root)
  local text = config_text(root)
  local ok, config = pcall(vim.json.decode, text, { luanil = { object = true, array = true } })
  local groups = {}
  if ok and type(config) == 'table' and type(config.host_groups) == 'table' then
    for name, group in pairs(config.host_groups) do
      groups[name] = M.host_names(group)
    end
  end
  return groups
end

function M.host_names(group)
  local names = {}
  if type(group) == 'table' and type(group.hosts) == 'table' then
    for _, host in ipairs(group.hosts) do
      names[#names + 1] = type(host) == 'table' and type(host.host) == 'string' and host.host or nil
    end
  end
  return names
end

--- Names of the project's files that were changed in the editor and not written, under `root`.
function M.unwritten(root)
  local names = {}
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.fs.normalize(vim.api.nvim_buf_get_name(buf))
    if vim.bo[buf].modified and folder(buf) and vim.startswith(name, root .. '/') then
      names[#names + 1] = name:sub(#root + 2)
    end
  end
  return names
end

return M
