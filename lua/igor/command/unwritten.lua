-- Ask about or write modified buffers before a command runs what the files contain.
local exit_guard = require('igor.command.exit_guard')
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')
local verbs = require('igor.command.generated').verbs

local M = {}

local WRITE, RUN = 'write all, then run', 'run as saved'

local function option()
  return require('igor.options').current.write_before_run
end

--- Write the project's modified buffers. Return the problem, or nil if all are written.
local function write(root)
  for buf, path in pairs(project.unwritten(root)) do
    local ok, err = pcall(vim.api.nvim_buf_call, buf, function()
      vim.cmd('silent update')
    end)
    if not ok then
      return ('%s can not be written: %s'):format(path, tostring(err):gsub('^.-(E%d+:)', '%1'))
    end
  end
end

--- Return the file in the window, or the one that its output is about; '' if there is none.
local function file()
  local name = vim.bo.buftype == '' and vim.api.nvim_buf_get_name(0) or ''
  return vim.b.igor_file or vim.startswith(name, '/') and name or ''
end

--- Return the place that such a command acts on, the file in the window, and whether to ask first;
--- Neovim evaluates it when the command is given. Write the buffers if the option says so.
function M.place()
  local place = exit_guard.place()
  local root = project.root(place)
  local open = root and next(project.unwritten(root)) ~= nil
  if open and option() then
    local problem = write(root)
    if problem then
      notice.say(problem, vim.log.levels.ERROR)
    end
  end
  local ask = open and option() == nil and #vim.api.nvim_list_uis() > 0
  return { place = place, file = file(), ask = ask or false }
end

local function go(channel, held, root, verb, choice)
  local problem = choice == WRITE and write(root)
  local runs = choice ~= nil and not problem
  if runs then
    exit_guard.expect()
  else
    notice.say(problem or 'not run', problem and vim.log.levels.ERROR or nil)
    if verbs[verb].debugs then
      require('igor.debug').refused()
    end
  end
  vim.rpcnotify(channel, 'igor:decided', held, runs)
end

--- Ask whether to write first. The bridge holds the command back until it gets the answer.
---@param channel integer  the bridge's channel
---@param held integer  the bridge's number for the command
---@param place string
---@param verb string  the command's verb
function M.ask(channel, held, place, verb)
  exit_guard.heard()
  local root = project.root(place)
  local release = readiness.watch_keys()
  readiness.when(readiness.can_ask, function()
    release()
    local names = vim.tbl_values(project.unwritten(root))
    table.sort(names)
    if #names == 0 then
      return go(channel, held, root, verb, RUN)
    end
    local prompt = ('Not written: %s'):format(table.concat(names, ', '))
    vim.ui.select({ WRITE, RUN }, { prompt = prompt }, function(choice)
      go(channel, held, root, verb, choice)
    end)
  end)
end

return M
