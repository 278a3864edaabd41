-- Ask whether a project's config may push automatically: once in a session for each version of the
-- config.
local agent = require('igor.client')
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')

local M = {}

local YES, NO = 'yes, push each save', 'no'

--- The configs that were asked about: root → digest.
local asked = {}

--- Return a digest of everything that decides what an automatic push does.
local function digest(root)
  local ignored = project.text(root, project.IGNORE)
  local ours = ignored and vim.fn.sha256(ignored) or ''
  return vim.fn.sha256(project.text(root, project.CONFIG) or '') .. ours
end

local function trust(root, meant)
  if digest(root) ~= meant then
    asked[root] = nil
    return notice.say('the config has changed meanwhile; look at it, then: igor trust', vim.log.levels.WARN)
  end
  agent.request('trust', root, {}, function(outcome)
    vim.schedule(function()
      if outcome.status == 0 then
        agent.save(root, {})
      else
        notice.say(outcome.error, vim.log.levels.ERROR)
      end
    end)
  end)
end

local function question(root, event)
  local names = {}
  for _, host in ipairs(event.hosts) do
    names[#names + 1] = host.host
  end
  local place = vim.fn.fnamemodify(root, ':~')
  return ("Let %s's config push each save to %s?"):format(place, table.concat(names, ', '))
end

--- Ask, as soon as the next keys can be meant for the question; never without a user interface.
---@param root string
---@param event IgorFreshnessEvent
function M.ask(root, event)
  local meant = digest(root)
  if asked[root] == meant or #vim.api.nvim_list_uis() == 0 then
    return
  end
  asked[root] = meant
  local release = readiness.watch_keys()
  readiness.when(readiness.can_ask, function()
    release()
    vim.ui.select({ YES, NO }, { prompt = question(root, event) }, function(choice)
      if choice == YES then
        trust(root, meant)
      end
    end)
  end)
end

return M
