-- Push on write: send each save in a project's buffer to the agent. `:w` itself only records the
-- save; the frame is sent in the next turn of the event loop, or before the editor exits.
local project = require('igor.project')

local M = {}

-- How long exiting may wait for a frame to get into the agent's socket.
local LEAVE_MS = 15
-- Time after the unload of a buffer until its file is checked for deletion.
local GONE_MS = 200

local WRITTEN = { 'BufWritePost', 'FileWritePost', 'FileAppendPost' }
-- Events after which files may have changed that were not written from a buffer.
local LOOK = { 'FocusGained', 'VimResume', 'ShellCmdPost', 'FileChangedShellPost', 'TermClose' }
-- User events of file explorers after they have moved or deleted files.
local EXPLORERS = { 'OilActionsPost', 'MiniFilesAction*' }

local group
---@type table<integer, string>  buffer → project root
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

--- A buffer is unloaded: report its file if it was deleted or renamed.
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

--- Deliver the project's saves before the editor exits.
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

--- Ask the agent to check all open projects.
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

--- netrw has no event for deleting or renaming, so check when its buffer is left.
local function watch_netrw(args)
  vim.api.nvim_create_autocmd('BufLeave', {
    group = group,
    buffer = args.buf,
    callback = look,
  })
end

--- Return the root of the project that a buffer's file is in, or nil if it is in none.
---@param buf integer
function M.root_of(buf)
  return attached[buf]
end

--- Define the autocommands; only those that detect the buffers of projects are global.
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
  -- Detect `:w name` in a buffer without a name.
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
