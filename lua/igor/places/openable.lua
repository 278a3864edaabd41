-- Decide which names in text from a host igor opens: local files with absolute paths, and igor://
-- addresses. Any other address would make Neovim or a plugin act: term:// runs a command, scp://
-- fetches a file.
local M = {}

local OWN = 'igor://'
local OWN_GROUP = 'igor_remote_file'
-- Some schemes (zipfile:, tarfile::) need no slashes, and are recognized at the end of a path too.
local SCHEME = '^%a[%w+.-]*:'

--- Return whether a name, or a part of it, can be taken for an address.
---@param name string
function M.is_address(name)
  return vim.iter(vim.gsplit(name, '/', { plain = true })):any(function(part)
    return part:find(SCHEME) ~= nil
  end)
end

local function has_controls(name)
  return name:find('%c') ~= nil or name:find('\194[\128-\159]') ~= nil
end

--- Return the plugin that would open a file with such a name itself (archives, notebooks), although
--- the file is on a host; nil if none would.
local function reader_of(path)
  local tail = vim.fs.basename(path)
  for _, its in ipairs(vim.api.nvim_get_autocmds({ event = 'BufReadCmd' })) do
    local subject = its.pattern:find('/', 1, true) and path or tail
    local is_others = its.group_name ~= OWN_GROUP and its.pattern ~= '*' and not its.buflocal
    if is_others and vim.fn.match(subject, vim.fn.glob2regpat(its.pattern)) >= 0 then
      return its.group_name or its.pattern
    end
  end
end

local function problem_of_address(name)
  local host, path = name:match('^igor://([^/]+)(/.+)$')
  if not host then
    return 'names no file of a host'
  end
  local reader = reader_of(path)
  return reader and ('is not read from the host: the plugin %s would open it here'):format(reader)
end

--- Return the part of a path below the project's root: the user chose the name of the root itself.
local function below(path, root)
  return root and vim.startswith(path, root .. '/') and path:sub(#root + 2) or path
end

local function problem_of_path(path, root)
  if not vim.startswith(path, '/') or M.is_address(below(path, root)) then
    return 'looks like an address, so it is not opened'
  end
  local stat = vim.uv.fs_stat(path)
  return stat and stat.type ~= 'file' and 'is no regular file' or nil
end

--- Return why a name may not be opened, or nil if it may.
---@param name string  an absolute path, or an igor:// address
---@param root string|nil  root of the project
function M.problem(name, root)
  if has_controls(name) then
    return 'has control characters'
  elseif vim.startswith(name, OWN) then
    return problem_of_address(name)
  end
  return problem_of_path(name, root)
end

--- Throw one sentence if a name may not be opened.
---@param name string
---@param root string|nil
function M.insist(name, root)
  local problem = M.problem(name, root)
  if problem then
    error(('%s %s'):format(name, problem), 0)
  end
end

--- Throw if the buffer about to be entered has a name that may not be opened. The name may have
--- changed since it was checked.
---@param buf integer
---@param root string|nil
function M.check(buf, root)
  M.insist(vim.api.nvim_buf_get_name(buf), root)
end

return M
