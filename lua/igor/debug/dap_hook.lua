-- igor in nvim-dap's own list of configurations, from the first use of nvim-dap on: it is not loaded
-- for that.
local M = {}

local function register(dap)
  require('igor.debug.dap').register(dap)
  return dap
end

--- Load nvim-dap as Lua would without this, and tell it of igor.
local function load(name)
  package.preload.dap = nil
  for _, loader in ipairs(package.loaders) do
    local found = loader(name)
    if type(found) == 'function' then
      local dap = found(name)
      return register(dap == nil and package.loaded[name] or dap)
    end
  end
  package.preload.dap = load -- it may be there later
  error("module 'dap' not found", 0)
end

function M.set()
  if package.loaded.dap then
    register(package.loaded.dap)
  elseif not package.preload.dap then
    package.preload.dap = load
  end
end

return M
