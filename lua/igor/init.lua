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
  if #problems > 0 then
    require('igor.notice').say(table.concat(problems, '; '), vim.log.levels.ERROR)
  end
end

--- One short text for a statusline: what runs, or how the last job ended. Empty before the first.
---@return string
function M.status()
  local jobs = package.loaded['igor.jobs']
  return jobs and jobs.status() or ''
end

return M
