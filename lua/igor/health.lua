-- :checkhealth igor: check what igor needs locally, with a remedy for each problem. `igor doctor`
-- checks the hosts.
local checkout = require('igor.directories').checkout
local register = require('igor.command.register')

local M = {}

local health = vim.health
local INSTALL = ('in %s: make install'):format(checkout)

-- Prints JSON: versions of what igor's Python finds, and which Python runs the agent.
local IN_EDITOR = [[
import json, sys
sys.path.insert(0, sys.argv[1])
import msgpack, pynvim
from igor_core import __version__
from igor_core.agent import client
found = {"python": sys.version.split()[0], "pynvim": pynvim.__version__, "igor": __version__}
found["agent_python"] = client.agent_python()
print(json.dumps(found))
]]
local AGENT_STATUS = [[
import sys
sys.path.insert(0, sys.argv[1])
from igor_core.agent import client
from igor_core.errors import IgorError
try:
    agent = client.connect("health", answers=False, start=False).call("agent-status")["data"]
    print(f"igor {agent['version']}, pid {agent['pid']}")
except IgorError as error:
    sys.exit(str(error))
]]
local IN_AGENT = 'import asyncssh, msgpack; print(asyncssh.__version__)'

local PROGRAMS = {
  { 'git', 'error', 'it says what belongs to the project', 'install git' },
  { 'rsync', 'error', 'it carries the files', 'install rsync, here and on the hosts' },
  { 'ssh', 'warn', 'igor brings its own; this one tries a login by hand', 'install openssh-client' },
  { 'tmux', 'info', 'optional', nil },
}

local TIMEOUT = 'it does not answer'

--- Return the standard output of a program, or nil and its last line of error output.
local function run(command)
  local ok, done = pcall(function()
    -- Don't run it in the project: Python would import modules from the current directory.
    return vim.system(command, { text = true, timeout = 5000, cwd = '/' }):wait()
  end)
  if ok and done.code == 124 then
    return nil, TIMEOUT
  elseif not ok then
    return nil, command[1] .. ' can not be started'
  elseif done.code ~= 0 then
    local lines = vim.split(vim.trim(done.stderr), '\n')
    return nil, lines[#lines] ~= '' and lines[#lines] or 'exit status ' .. done.code
  end
  return vim.trim(done.stdout)
end

--- Return the Python that runs the bridge: the editor's if the manifest has the commands.
local function python()
  local given = require('igor.options').current.python
  if register.in_manifest() and not given then
    return vim.fn.expand(vim.g.python3_host_prog or 'python3'), 'the python3 host (manifest)'
  end
  return require('igor.python').of_host(), "igor's own host"
end

local function check_editor()
  health.start('igor: the editor')
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok('Neovim ' .. tostring(vim.version()))
  else
    health.error('Neovim is older than 0.10', 'install Neovim 0.10 or newer')
  end
  if vim.fn.exists(':IgorPush') == 2 then
    health.ok('the commands are registered')
  else
    local advice = { "call require('igor').setup()", 'or run :UpdateRemotePlugins and restart' }
    health.error('the commands are not registered', advice)
  end
end

local function check_agent(program, found)
  local version, why = run({ found.agent_python, '-E', '-c', IN_AGENT })
  if version then
    health.ok(("the agent's Python has asyncssh %s: %s"):format(version, found.agent_python))
  else
    health.error(("the agent's Python lacks a module: %s (%s)"):format(why, found.agent_python), INSTALL)
  end
  local agent, problem = run({ program, '-E', '-c', AGENT_STATUS, checkout })
  if agent then
    health.ok('an agent runs: ' .. agent)
  elseif problem == TIMEOUT then
    health.error('an agent runs, but does not answer', 'igor agent stop; igor agent log says more')
  else
    health.info(problem .. '; the first command starts one')
  end
end

local function check_python()
  health.start('igor: Python and the agent')
  local program, which = python()
  local said, why = run({ program, '-E', '-c', IN_EDITOR, checkout })
  if not said then
    local advice = { INSTALL, "or name a Python that has pynvim: require('igor').setup{ python = … }" }
    return health.error(('%s can not run igor: %s (%s)'):format(program, why, which), advice)
  end
  local found = vim.json.decode(said)
  health.ok(('%s: %s, Python %s, pynvim %s'):format(which, program, found.python, found.pynvim))
  health.ok(('igor_core %s can be imported'):format(found.igor))
  check_agent(program, found)
end

local function check_programs()
  health.start('igor: programs')
  for _, program in ipairs(PROGRAMS) do
    local name, level, purpose, remedy = unpack(program)
    if vim.fn.executable(name) == 1 then
      health.ok(('%s: %s'):format(name, vim.fn.exepath(name)))
    else
      health[level](('%s is missing: %s'):format(name, purpose), remedy)
    end
  end
end

local function check_project()
  health.start('igor: the project')
  local project = require('igor.project')
  local root = project.root(project.place())
  if not root then
    return health.info('no .igor/config.json here or above; igor init writes one')
  end
  local groups = vim.tbl_keys(project.groups(root))
  table.sort(groups)
  if #groups == 0 then
    health.warn(root .. '/.igor/config.json names no host group', 'igor config check')
  else
    health.ok(('%s: host groups %s'):format(root, table.concat(groups, ', ')))
  end
  health.info('the hosts are checked by: igor doctor')
end

local function check_debugger()
  health.start('igor: the debugger')
  local front = require('igor.debug.front')
  local chosen, problem, hint = front.choose()
  if chosen then
    health.ok(':IgorDebug shows sessions in ' .. chosen.title)
  elseif require('igor.options').current.debugger == 'auto' and front.none_installed() then
    health.info(':IgorDebug has no front end: ' .. problem)
  else
    health.error(problem, hint)
  end
end

function M.check()
  check_editor()
  check_python()
  check_programs()
  check_project()
  check_debugger()
end

return M
