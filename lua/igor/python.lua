-- Choose the Python that runs igor's own local programs.
local M = {}

local function own()
  local python = require('igor.directories').checkout .. '/.venv/bin/python'
  return vim.fn.executable(python) == 1 and python or nil
end

--- Return the Python for igor's own remote plugin host.
function M.of_host()
  local given = require('igor.options').current.python
  if given then
    return vim.fn.expand(given)
  end
  return own() or vim.fn.expand(vim.g.python3_host_prog or 'python3')
end

--- Return the Python for the agent, chosen as in igor_core/agent/client.py: the editor's Python may
--- lack modules.
function M.of_agent()
  return own() or M.of_host()
end

return M
