-- igor in Neovim: require('igor').setup{}; see :help igor-neovim.
local M = {}

--- Set the options, declare the commands unless the manifest has them, map the keys asked for.
---@param given table|nil  see |igor-options|
function M.setup(given)
  local options = require('igor.options')
  local problems
  options.current, problems = options.merge(given)
  vim.list_extend(problems, require('igor.keymaps').set(options.current.keymaps))
  require('igor.register').when_loaded()
  require('igor.save').set()
  if #problems > 0 then
    require('igor.notice').say(table.concat(problems, '; '), vim.log.levels.ERROR)
  end
end

--- One short text for a statusline: what runs, else what the hosts of the buffer's project have, and
--- whether the last job failed. Empty where there is nothing to say.
---@return string
function M.status()
  local jobs, save = package.loaded['igor.jobs'], package.loaded['igor.save']
  local job, is_over = '', true
  if jobs then
    job, is_over = jobs.status()
  end
  local root = save and save.root_of(vim.api.nvim_get_current_buf())
  local fresh = root and require('igor.watching').text(root)
  if not fresh or not is_over then
    return job
  end
  return 'igor: ' .. fresh .. (job:find('failed$') and ' · ' .. job:sub(#'igor: ' + 1) or '')
end

--- What the agent says of each project whose files are open: root → freshness.
---@return table<string, table>
function M.freshness()
  local watching = package.loaded['igor.watching']
  return watching and watching.all() or {}
end

return M
