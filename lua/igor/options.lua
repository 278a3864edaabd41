-- The options of setup(): type, default and description of each, in one place.
local M = {}

---@class IgorOption
---@field name string  dots separate tables: 'output.height'
---@field types string[]
---@field choices string[]|nil
---@field default any
---@field desc string

---@type IgorOption[]
M.list = {
  {
    name = 'python',
    types = { 'string' },
    default = nil,
    desc = "Python for igor's Neovim plugin; it needs pynvim. Unset: .venv/bin/python in igor's folder, "
      .. 'else g:python3_host_prog, else python3.',
  },
  {
    name = 'keymaps',
    types = { 'boolean', 'table' },
    default = false,
    desc = 'Keys to map, see |igor-keymaps|.',
  },
  {
    name = 'push_on_write',
    types = { 'boolean' },
    default = nil,
    desc = "Push each save to the hosts, see |igor-push-on-write|. Unset: as the project's config says.",
  },
  {
    name = 'write_before_run',
    types = { 'boolean' },
    default = nil,
    desc = 'What commands do with modified buffers of the project, see |igor-unwritten|: true writes them '
      .. 'first, false runs without them. Unset: ask.',
  },
  {
    name = 'debugger',
    types = { 'string' },
    choices = { 'auto', 'vimspector', 'dap' },
    default = 'auto',
    desc = 'Debugger for |:IgorDebug| and |:IgorAttach|: "vimspector", "dap" (nvim-dap) or "auto": the one '
      .. 'that is loaded, else the one that is installed, Vimspector if both are.',
  },
  {
    name = 'repl.position',
    types = { 'string' },
    default = 'below',
    desc = 'Where |:IgorRepl| opens its split: "below", "above", "left" or "right".',
  },
  {
    name = 'repl.size',
    types = { 'number' },
    default = 0.4,
    desc = 'Size of that split in lines or columns; below 1, a fraction of the editor.',
  },
  {
    name = 'output.height',
    types = { 'number' },
    default = 12,
    desc = 'Height of the output window in lines.',
  },
  {
    name = 'output.lines',
    types = { 'number' },
    default = 20000,
    desc = 'Lines of output to keep for each job; the oldest are dropped.',
  },
  {
    name = 'output.jobs',
    types = { 'number' },
    default = 5,
    desc = 'Finished jobs whose output is kept for |:IgorOutput|.',
  },
  {
    name = 'output.open',
    types = { 'table' },
    default = require('igor.command.generated').opening,
    desc = 'Commands that open the output window when they start; the others open it when they fail.',
  },
  {
    name = 'quickfix.open',
    types = { 'boolean' },
    default = false,
    desc = 'Open the quickfix window when a job has filled the list.',
  },
  {
    name = 'notify.after',
    types = { 'number' },
    default = 10,
    desc = 'If a job that took at least this many seconds ends while its output is not visible or Neovim has '
      .. 'no focus, the message includes its duration and is repeated when Neovim has the focus again.',
  },
}

--- Return how many single edits turn `a` into `b`.
local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

--- Return the name that `wrong` probably meant, or nil if none is similar.
---@param wrong string
---@param names string[]
function M.nearest(wrong, names)
  local best, least = nil, math.max(2, math.floor(#wrong / 2)) + 1
  for _, name in ipairs(names) do
    local steps = distance(wrong, name)
    if steps < least then
      best, least = name, steps
    end
  end
  return best
end

local function find(name)
  for _, option in ipairs(M.list) do
    if option.name == name then
      return option
    end
  end
end

local function names()
  return vim.tbl_map(function(option)
    return option.name
  end, M.list)
end

--- Return whether `name` is a table of options, such as 'output'.
local function is_group(name)
  return vim.iter(M.list):any(function(option)
    return vim.startswith(option.name, name .. '.')
  end)
end

local function set(tree, name, value)
  local keys = vim.split(name, '.', { plain = true })
  local last = table.remove(keys)
  for _, key in ipairs(keys) do
    tree[key] = tree[key] or {}
    tree = tree[key]
  end
  tree[last] = value
end

local function problem_of(option, value)
  if not vim.tbl_contains(option.types, type(value)) then
    local wanted = table.concat(option.types, ' or ')
    return ('setup{}: %s must be a %s, not a %s'):format(option.name, wanted, type(value))
  elseif option.choices and not vim.tbl_contains(option.choices, value) then
    local known = table.concat(option.choices, ', ')
    return ('setup{}: %s must be one of %s, not %s'):format(option.name, known, value)
  end
end

local function apply(tree, given, prefix, problems)
  for key, value in pairs(given) do
    local name = prefix .. tostring(key)
    local option = find(name)
    if option then
      local problem = problem_of(option, value)
      if problem then
        problems[#problems + 1] = problem
      else
        set(tree, name, value)
      end
    elseif is_group(name) and type(value) == 'table' then
      apply(tree, value, name .. '.', problems)
    else
      local near = M.nearest(name, names())
      local hint = near and ("; did you mean '%s'?"):format(near) or ''
      problems[#problems + 1] = ('setup{}: unknown option %s%s'):format(name, hint)
    end
  end
end

--- Return the defaults as one table.
function M.defaults()
  local tree = {}
  for _, option in ipairs(M.list) do
    set(tree, option.name, vim.deepcopy(option.default))
  end
  return tree
end

--- Return the options with `given` in place of the defaults, and a list of problems with `given`.
---@param given table|nil
function M.merge(given)
  local tree, problems = M.defaults(), {}
  apply(tree, given or {}, '', problems)
  table.sort(problems)
  return tree, problems
end

--- The current options; the defaults until setup() is called.
M.current = M.defaults()

return M
