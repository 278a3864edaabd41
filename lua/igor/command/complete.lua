-- Completion of the commands' arguments, from the table of verbs and the project's config, without
-- starting Python.
local verbs = require('igor.command.generated').verbs

local M = {}

--- Return the hosts of all groups, each once.
local function hosts(groups)
  local seen = {}
  for _, names in pairs(groups) do
    for _, name in ipairs(names) do
      seen[name] = true
    end
  end
  return vim.tbl_keys(seen)
end

local function job_numbers()
  local jobs = package.loaded['igor.job.list']
  return jobs and jobs.numbers() or {}
end

--- Return whether the config's own rules allow such a name. A config may come from a stranger, and
--- any other name could run something when completed and entered on the command line.
local function is_harmless(name)
  return not name:find('^-') and not name:find('[%c%s\'"`$;&<>|(){}\\/@]')
end

local function is_option(word)
  return word:sub(1, 1) == '-'
end

--- Return whether the words before the completed one already name a group.
---@param verb IgorVerb
---@param words string[]  the command is the first
local function has_group(verb, words)
  for i = 2, #words do
    local before = verb.values[words[i - 1]]
    if verb.values[words[i]] == 'group' or not is_option(words[i]) and before ~= 'host' then
      return true
    end
  end
  return false
end

--- Return the names of the config's groups or hosts.
---@param kind string
local function names(kind)
  local project = require('igor.project')
  local groups = project.groups(project.place())
  if kind == 'group' then
    return vim.tbl_filter(is_harmless, vim.tbl_keys(groups))
  end
  return kind == 'host' and vim.tbl_filter(is_harmless, hosts(groups)) or {}
end

--- Return whether the rest of the line belongs to the program that the command runs.
---@param verb IgorVerb
---@param words string[]
local function is_in_line(verb, words)
  for i = 2, #words do
    local word = words[i]
    if word == '--' or word == '-m' or word == '--test' then
      return true
    elseif not is_option(word) and not verb.values[words[i - 1]] then
      return true
    end
  end
  return false
end

--- Return what the rest of the line can begin with: for :IgorDebug, the programs that the config
--- names.
---@param verb IgorVerb
---@param words string[]
local function programs(verb, words)
  if verb.operand ~= 'debugged' or is_in_line(verb, words) then
    return {}
  end
  local project = require('igor.project')
  return vim.tbl_filter(is_harmless, project.debug_programs(project.root(project.place())))
end

---@param verb IgorVerb
---@param words string[]  those before the completed word, the command first
---@param lead string  the part of the word already typed
---@return string[]
local function candidates(verb, words, lead)
  local value = verb.values[words[#words]]
  if value then
    return names(value)
  elseif is_option(lead) then
    return verb.takes_line and is_in_line(verb, words) and {} or verb.options
  elseif verb.completes == 'job' then
    return job_numbers()
  elseif verb.choices then
    return #words == 1 and verb.choices or {}
  elseif verb.takes_line then
    return programs(verb, words)
  elseif verb.completes == 'held back' then
    return require('igor.diff').complete(lead)
  elseif verb.acts_on_hosts then
    return has_group(verb, words) and {} or names('group')
  end
  return verb.options
end

--- Complete a command's arguments; the function that -complete=customlist names.
---@param lead string
---@param line string
---@param cursor integer
---@return string[]
function M.command(lead, line, cursor)
  local words = vim.split(line:sub(1, cursor - #lead), '%s+', { trimempty = true })
  while words[1] and not words[1]:find('Igor', 1, true) do
    table.remove(words, 1)
  end
  local verb = verbs[(line:match('Igor(%a+)') or ''):lower()]
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, verb and candidates(verb, words, lead) or {})
  table.sort(found)
  return found
end

return M
