-- Leaving the editor: what was asked for reaches the agent first, which then goes on with it.
local project = require('igor.project')
local verbs = require('igor.command.generated').verbs

local M = {}

-- Starting Python and the agent takes less; CTRL-C ends the wait.
local PATIENCE_MS = 3000

--- Commands that were given and that Python has not spoken of yet.
local given = 0

--- Whether the editor need not wait for the agent to accept a job: one that ends with the editor.
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

--- A command was given that Python is to speak of.
function M.expect()
  given = given + 1
  vim.api.nvim_create_autocmd('VimLeavePre', {
    group = vim.api.nvim_create_augroup('igor_leave', {}),
    callback = leave,
  })
end

--- What Neovim evaluates when a command is given: the place that it acts on.
function M.place()
  M.expect()
  return project.place()
end

--- Python speaks of a command.
function M.heard()
  given = math.max(0, given - 1)
end

--- Python has ended.
function M.forget()
  given = 0
end

return M
