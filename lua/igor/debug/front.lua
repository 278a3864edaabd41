-- The front ends: which of them shows a debug session.
local M = {}

M.names = { 'vimspector', 'dap' }

M.titles = { vimspector = 'Vimspector', dap = 'nvim-dap' }

---@class IgorFront
---@field is_loaded fun(): boolean  whether the user has used it in this editor
---@field is_there fun(): boolean
---@field problem fun(): string|nil, string|nil  why it can't be used, though it is there; a hint
---@field start fun(session: IgorDebuggee)
---@field close fun(session: IgorDebuggee)

local function front(name)
  return require('igor.debug.' .. name)
end

--- The name of the one to use; with 'auto' that which is loaded, else the first that is there.
local function found()
  local wanted = require('igor.options').current.debugger
  if wanted ~= 'auto' then
    return wanted
  end
  for _, ask in ipairs({ 'is_loaded', 'is_there' }) do
    for _, name in ipairs(M.names) do
      if front(name)[ask]() then
        return name
      end
    end
  end
end

--- Whether the editor has no front end at all.
function M.is_none_there()
  return not vim.iter(M.names):any(function(name)
    return front(name).is_there()
  end)
end

--- The front end to use, nil with what is wrong and what to do.
---@return IgorFront|nil, string|nil, string|nil
function M.choose()
  local name = found()
  if not name then
    local hint = "install one, or see that it is loaded; for other debuggers: igor debug"
    return nil, 'neither Vimspector nor nvim-dap is here', hint
  elseif not front(name).is_there() then
    return nil, ('%s is not here'):format(M.titles[name]), ':help igor-option-debugger'
  end
  local problem, hint = front(name).problem()
  if problem then
    return nil, problem, hint
  end
  return front(name)
end

return M
