-- igor in Neovim: require('igor').setup{}; see :help igor-neovim.
local M = {}

--- Make igor:// addresses work.
local function show_remote_files()
  local group = vim.api.nvim_create_augroup('igor_remote_file', {})
  local function on(events, act)
    vim.api.nvim_create_autocmd(events, {
      group = group,
      pattern = 'igor://*',
      nested = true,
      callback = function(args)
        act(require('igor.places.remote_file'), args)
      end,
    })
  end
  -- Map gf in such a buffer so that it opens nothing but files.
  on('BufReadCmd', function(file, args)
    require('igor.places').map(args.buf)
    file.read(args.buf, args.match)
  end)
  on('BufFilePost', function(file, args)
    if file.named(args.buf, args.match) then
      require('igor.places').map(args.buf)
    end
  end)
  on({ 'BufWriteCmd', 'FileWriteCmd', 'FileAppendCmd' }, function(file, args)
    file.refuse_write(args.match)
  end)
  on('FileReadCmd', function(file, args)
    file.refuse_insert(args.match)
  end)
end

--- Set the options, declare the commands unless the manifest has them, and map the requested keys.
---@param given table|nil  see |igor-options|
function M.setup(given)
  local options = require('igor.options')
  local problems
  options.current, problems = options.merge(given)
  vim.list_extend(problems, require('igor.command.keymaps').set(options.current.keymaps))
  require('igor.command.keymaps').define()
  require('igor.command.register').when_loaded()
  require('igor.sync').set()
  show_remote_files()
  if options.current.debugger ~= 'vimspector' then
    require('igor.debug.dap_hook').set()
  end
  if #problems > 0 then
    require('igor.ui.notice').say(table.concat(problems, '; '), vim.log.levels.ERROR)
  end
end

--- Return one short text for a statusline: what runs, else the freshness of the hosts of the
--- buffer's project, and whether the last job failed. Empty if there is nothing to say.
---@return string
function M.status()
  local jobs, save = package.loaded['igor.job.list'], package.loaded['igor.sync']
  local job, is_over, has_failed = '', true, false
  if jobs then
    job, is_over, has_failed = jobs.status()
  end
  local root = save and save.root_of(vim.api.nvim_get_current_buf())
  local fresh = root and require('igor.sync.projects').text(root)
  if not fresh or not is_over then
    return job
  end
  return 'igor: ' .. fresh .. (has_failed and ' · ' .. job:sub(#'igor: ' + 1) or '')
end

--- Return the command, as a list, that runs a REPL of the current project on its terminal: for
--- plugins that start REPLs themselves. nil outside of a project.
---@param command string|string[]|nil  the program; default: the one of the config
---@param args { group: string|nil, host: string|nil }|nil  host group (default: 'dev') and host
---@return string[]|nil
function M.repl_command(command, args)
  return require('igor.repl').command(command, args)
end

--- Return the freshness of each project with open files, as the agent reports it: root → freshness.
---@return table<string, table>
function M.freshness()
  local watching = package.loaded['igor.sync.projects']
  return watching and watching.all() or {}
end

return M
