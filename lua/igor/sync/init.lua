-- Push on write: a save in a buffer of a project becomes a frame to the agent. `:w` itself only takes
-- a note; the frame leaves in the next turn of the event loop, and before the editor ends.
local project = require('igor.project')

local M = {}

-- How long the end of the editor may wait for a frame to get into the agent's socket.
local LEAVE_MS = 15
-- After a buffer went: whether its file is gone too.
local GONE_MS = 200

local WRITTEN = { 'BufWritePost', 'FileWritePost', 'FileAppendPost' }
-- After these, files may have changed that no buffer was written to.
local LOOK = { 'FocusGained', 'VimResume', 'ShellCmdPost', 'FileChangedShellPost', 'TermClose' }
-- What file explorers say after they have moved or deleted something.
local EXPLORERS = { 'OilActionsPost', 'MiniFilesAction*' }

local group
---@type table<integer, string>  buffer → root of its project
local attached = {}

local function written(args)
  local root, path = project.locate(args.match)
  if root then
    require('igor.sync.projects').saved(root, path)
  end
end

local function detach(buf)
  local root = attached[buf]
  attached[buf] = nil
  vim.api.nvim_clear_autocmds({ group = group, buffer = buf })
  require('igor.sync.projects').leave(root)
end

--- A buffer goes: perhaps since its file was deleted or renamed.
local function unloaded(args)
  local buf, root, path = args.buf, project.locate(args.match)
  if attached[buf] then
    detach(buf)
  end
  vim.defer_fn(function()
    if root and not vim.uv.fs_lstat(root .. '/' .. path) then
      require('igor.sync.projects').saved(root, path)
    end
  end, GONE_MS)
end

--- Once a project is there: see that its saves leave before the editor does.
local function deliver_at_end()
  vim.api.nvim_create_autocmd('VimLeavePre', {
    group = vim.api.nvim_create_augroup('igor_save_leave', {}),
    callback = function()
      require('igor.client').leave(LEAVE_MS)
    end,
  })
end

local function attach(buf)
  local root = project.locate_buffer(buf)
  if attached[buf] == root then
    return
  elseif attached[buf] then
    detach(buf)
  end
  if root then
    attached[buf] = root
    vim.api.nvim_create_autocmd(WRITTEN, { group = group, buffer = buf, callback = written })
    vim.api.nvim_create_autocmd('BufUnload', { group = group, buffer = buf, callback = unloaded })
    require('igor.sync.projects').enter(root)
    deliver_at_end()
  end
end

local function attach_all()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) then
      attach(buf)
    end
  end
end

--- Let the agent look at the projects that are open.
local function look()
  if next(attached) then
    require('igor.sync.projects').look_at_all()
  end
end

local function renamed(args)
  attach(args.buf)
  look()
end

local function look_again()
  attach_all()
  look()
end

--- netrw says nothing when it has deleted or renamed; so look when its buffer is left.
local function watch_netrw(args)
  vim.api.nvim_create_autocmd('BufLeave', {
    group = group,
    buffer = args.buf,
    callback = look,
  })
end

--- The root of the project that a buffer's file is in, nil where it is in none.
---@param buf integer
function M.root_of(buf)
  return attached[buf]
end

--- Set up the autocommands; only those that find buffers of projects are global.
function M.set()
  group = vim.api.nvim_create_augroup('igor_save', {})
  attached = {}
  local function on(events, callback, pattern)
    vim.api.nvim_create_autocmd(events, { group = group, pattern = pattern, callback = callback })
  end
  local function read(args)
    attach(args.buf)
  end
  on({ 'BufReadPost', 'BufNewFile' }, read)
  -- `:w name` in a buffer without a name.
  on('BufAdd', function(args)
    if vim.api.nvim_buf_is_loaded(args.buf) then
      attach(args.buf)
    end
  end)
  on('BufFilePost', renamed)
  on(LOOK, look_again)
  on('User', look, EXPLORERS)
  on('FileType', watch_netrw, 'netrw')
  attach_all()
end

return M
