-- The front ends, and which of them shows debug sessions.
local M = {}

M.names = { 'vimspector', 'dap' }

---@class IgorFrontEnd
---@field title string  the plugin's name
---@field is_loaded fun(): boolean  whether it was used in this Neovim
---@field is_installed fun(): boolean
---@field problem fun(): string|nil, string|nil  why it can't be used although installed; a hint
---@field start fun(session: IgorDebugSession)
---@field close fun(session: IgorDebugSession)

---@param name string
---@return IgorFrontEnd
local function front(name)
  return require('igor.debug.' .. name)
end

--- The name of the one to use; with 'auto' the first that is loaded, else the first installed.
---@return string|nil
local function found()
  local wanted = require('igor.options').current.debugger
  if wanted ~= 'auto' then
    return wanted
  end
  for _, ask in ipairs({ 'is_loaded', 'is_installed' }) do
    for _, name in ipairs(M.names) do
      if front(name)[ask]() then
        return name
      end
    end
  end
end

--- Whether no front end is installed.
---@return boolean
function M.none_installed()
  return not vim.iter(M.names):any(function(name)
    return front(name).is_installed()
  end)
end

--- The front end to use, or nil with the problem and a hint.
---@return IgorFrontEnd|nil front_end
---@return string|nil problem
---@return string|nil hint
function M.choose()
  local name = found()
  if not name then
    local hint = "install one of them; for other debuggers: igor debug"
    return nil, 'neither Vimspector nor nvim-dap is installed', hint
  elseif not front(name).is_installed() then
    return nil, ('%s is not installed'):format(front(name).title), ':help igor-option-debugger'
  end
  local problem, hint = front(name).problem()
  if problem then
    return nil, problem, hint
  end
  return front(name)
end

return M
