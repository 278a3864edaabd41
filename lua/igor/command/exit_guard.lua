-- When the editor exits, wait until the agent has received what the user asked for; it then
-- continues without the editor.
local project = require('igor.project')
local verbs = require('igor.command.generated').verbs

local M = {}

-- Starting Python and the agent takes less time than this; CTRL-C ends the wait.
local PATIENCE_MS = 3000

--- Number of commands that Python has not acknowledged yet.
local given = 0

--- Return whether the editor need not wait for the agent to accept a job: it has done so, the job
--- has ended, or the job ends with the editor anyway.
---@param job IgorJob
local function is_known_to_the_agent(job)
  return job.number or job.status or verbs[job.verb].ends_with_client
end

local function is_all_told()
  local jobs = package.loaded['igor.job.list']
  return given == 0 and (not jobs or vim.iter(jobs.running()):all(is_known_to_the_agent))
end

local function leave()
  vim.wait(PATIENCE_MS, is_all_told, 10)
  local jobs = package.loaded['igor.job.list']
  if jobs and jobs.channel then
    pcall(vim.rpcnotify, jobs.channel, 'igor:leave')
  end
end

--- A command was given that Python is to acknowledge.
function M.expect()
  given = given + 1
  vim.api.nvim_create_autocmd('VimLeavePre', {
    group = vim.api.nvim_create_augroup('igor_leave', {}),
    callback = leave,
  })
end

--- Return the place that a command acts on; Neovim evaluates it when the command is given.
function M.place()
  M.expect()
  return project.place()
end

--- Python has acknowledged a command.
function M.heard()
  given = math.max(0, given - 1)
end

--- Python has ended: expect no more from it.
function M.forget()
  given = 0
end

return M
