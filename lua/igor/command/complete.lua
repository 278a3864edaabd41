-- Completion of the commands' arguments, from the project's config; no Python is started for it.
local M = {}

-- What stands behind their options is a command of the user's.
local LINES = { exec = true, run = true, repl = true }
local GROUP_OPTIONS = { ['-g'] = true, ['--host-group'] = true, ['--host_group'] = true }

--- All hosts of all groups, each once.
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

--- Whether the words before the one that is being completed name a group already.
local function has_group(words)
  for i = 2, #words do
    if GROUP_OPTIONS[words[i]] or words[i]:sub(1, 1) ~= '-' and words[i - 1] ~= '--host' then
      return true
    end
  end
  return false
end

--- Whether the config's own rules allow such a name. Others could, once completed and entered, act
--- in the command line: the config is perhaps a stranger's.
local function is_harmless(name)
  return not name:find('^-') and not name:find('[%c%s\'"`$;&<>|(){}\\/@]')
end

--- Of :IgorDebug: its options, then the programs that the config names, in front only.
local function debugged(words, lead)
  local previous = words[#words]
  local is_value = previous and previous:find('^%-%-ranks$')
  for i, word in ipairs(words) do
    local is_option = word:find('^%-') or words[i - 1] and words[i - 1]:find('^%-')
    if i > 1 and not is_option or word == '--test' or word == '--' or word == '-m' then
      return {}
    end
  end
  if lead:find('^%-') then
    return require('igor.command').debug_options
  end
  local project = require('igor.project')
  return is_value and {} or vim.tbl_filter(is_harmless, project.debug_programs(project.root(project.place())))
end

local function candidates(verb, words, lead)
  if verb == 'cancel' or verb == 'output' then
    return job_numbers()
  end
  if verb == 'send' then
    return #words == 1 and require('igor.repl.send').WORDS or {}
  end
  if verb == 'vimspector' or verb == 'vscode' then
    return require('igor.command').flags[verb]
  end
  local previous = words[#words]
  if verb == 'debug' and previous ~= '--host' and not GROUP_OPTIONS[previous] then
    return debugged(words, lead)
  end
  if lead:sub(1, 1) == '-' then
    return vim.list_extend({ '--host', '-g' }, require('igor.command').flags[verb] or {})
  end
  local project = require('igor.project')
  local groups = project.groups(project.place())
  if previous == '--host' then
    return vim.tbl_filter(is_harmless, hosts(groups))
  elseif verb == 'diff' and not GROUP_OPTIONS[previous] then
    return require('igor.diff').complete(lead)
  elseif GROUP_OPTIONS[previous] or not LINES[verb] and not has_group(words) then
    return vim.tbl_filter(is_harmless, vim.tbl_keys(groups))
  end
  return {}
end

--- The function that the commands name after -complete=customlist.
function M.command(lead, line, cursor)
  local words = vim.split(line:sub(1, cursor - #lead), '%s+', { trimempty = true })
  local verb = (line:match('Igor(%a+)') or ''):lower()
  while words[1] and not words[1]:find('Igor', 1, true) do
    table.remove(words, 1)
  end
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, candidates(verb, words, lead))
  table.sort(found)
  return found
end

return M
