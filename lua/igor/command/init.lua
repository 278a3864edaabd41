-- The commands implemented in Lua alone; those that ask the agent belong to the remote plugin.
local M = {}

--- Define them, even if an older manifest of :UpdateRemotePlugins has declared them.
function M.define()
  for _, command in ipairs(require('igor.command.generated').lua_commands) do
    vim.api.nvim_create_user_command(command.name, function(given)
      require(command.module)[command.function_name](given.args, given.bang, given)
    end, command.opts)
  end
end

return M
