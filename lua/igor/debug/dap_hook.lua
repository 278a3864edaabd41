-- Add igor to nvim-dap's list of configurations when nvim-dap is first loaded, without loading it.
local M = {}

local is_set = false

local function register(dap)
  require('igor.debug.dap').register(dap)
  return dap
end

--- A loader that finds nvim-dap as Lua would without it, and registers igor once it is loaded.
local function find(name)
  if name ~= 'dap' then
    return
  end
  for _, loader in ipairs(package.loaders) do
    local found = loader ~= find and loader(name)
    if type(found) == 'function' then
      return function(...)
        local dap = found(...)
        return register(dap == nil and package.loaded[name] or dap)
      end
    end
  end
end

--- Register igor with nvim-dap, now or when it is loaded.
function M.set()
  if type(package.loaded.dap) == 'table' then
    register(package.loaded.dap)
  elseif not is_set then
    is_set = true
    table.insert(package.loaders, 1, find)
  end
end

return M
