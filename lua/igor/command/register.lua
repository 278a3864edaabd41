-- Declare the commands that the manifest of :UpdateRemotePlugins does not.
--
-- A plugin can't be added to the python3 host once that runs, and that host's Python may lack
-- modules that igor needs. So igor has a host of its own. The first command starts it and waits in
-- its pipe, without blocking the editor.
local M = {}

local HOST = 'igor'
-- jobstart() throws an error if the Python does not exist, and a channel that closes before the
-- first command was sent breaks that command. So a shell starts Python, and waits a moment before
-- it gives up.
local SHELL = 'command -v "$1" >/dev/null || { sleep 0.3; exit 127; }; exec "$@"'
local START = 'import sys; sys.path = [p for p in sys.path if p]; import pynvim; pynvim.start_host()'

M.plugin = require('igor.directories').checkout .. '/rplugin/python3/igor_nvim.py'

--- Return the names that the manifest has registered for this checkout, or nil if it has none.
function M.in_manifest()
  for _, plugin in ipairs(vim.fn['remote#host#PluginsForHost']('python3')) do
    if vim.fn.resolve(plugin.path) == M.plugin then
      local names = {}
      for _, spec in ipairs(plugin.specs) do
        names[spec.name] = spec.opts
      end
      return names
    end
  end
end

--- Start igor's own host. Its channel accepts data before Python has started.
local function start(_)
  local last_words = ''
  local python = require('igor.python').of_host()
  local command = { 'sh', '-c', SHELL, 'sh', python, '-E', '-c', START, M.plugin }
  return vim.fn.jobstart(command, {
    rpc = true,
    on_stderr = function(_, lines)
      last_words = vim.iter(lines):filter(function(line)
        return line ~= ''
      end):last() or last_words
    end,
    on_exit = function(_, status)
      M.ended(python, status, last_words)
    end,
  })
end

--- The host has ended: its jobs are lost to the editor, and the next command starts another host.
function M.ended(python, status, last_words)
  require('igor.command.exit_guard').forget()
  if vim.v.exiting ~= vim.NIL then
    return
  end
  require('igor.job').host_ended()
  local why = status == 127 and 'not found' or last_words ~= '' and last_words or 'exit status ' .. status
  local text = ('its Python has ended, see :checkhealth igor: %s (%s)'):format(why, python)
  require('igor.ui.notice').say(text, vim.log.levels.ERROR)
  vim.schedule(M.declare)
end

--- Declare the commands on igor's own host.
function M.declare()
  vim.fn['remote#host#Register'](HOST, '*', start)
  for _, spec in ipairs(require('igor.command.generated').specs) do
    local method = ('%s:command:%s'):format(M.plugin, spec.name)
    vim.fn['remote#define#CommandOnHost'](HOST, method, spec.sync, spec.name, spec.opts)
  end
end

--- Declare the commands that a manifest of an older igor lacks; the host finds handlers by their
--- path.
local function complete_manifest(known)
  for _, spec in ipairs(require('igor.command.generated').specs) do
    if not vim.deep_equal(known[spec.name], spec.opts) then
      local method = ('%s:command:%s'):format(M.plugin, spec.name)
      vim.fn['remote#define#CommandOnHost']('python3', method, spec.sync, spec.name, spec.opts)
    end
  end
end

function M.register()
  require('igor.command').define()
  local known = M.in_manifest()
  if known and not require('igor.options').current.python then
    complete_manifest(known)
  else
    M.declare()
  end
end

--- Register as soon as the manifest has been read, which happens after the user's init file.
function M.when_loaded()
  if vim.g.loaded_remote_plugins or vim.v.vim_did_enter == 1 then
    return M.register()
  end
  local group = vim.api.nvim_create_augroup('igor_register', {})
  local function once()
    vim.api.nvim_create_augroup('igor_register', {})
    M.register()
  end
  local read = { group = group, pattern = '*/plugin/rplugin.vim', callback = once }
  vim.api.nvim_create_autocmd('SourcePost', read)
  vim.api.nvim_create_autocmd('VimEnter', { group = group, callback = once })
end

return M
