-- The places that a job's output named, as a quickfix list.
--
-- Its first row says how the job ended and leads to the failure, as the row below it does; so
-- :cfirst, :cc and the first :cnext all lead there. That row and those of libraries are not "valid":
-- :cnext passes them over, <CR> on them opens them.
local mode = require('igor.mode')
local project = require('igor.project')

local M = {}

-- Names of hosts and ranks that are spelled out.
local MOST_NAMES = 4

local function some(names)
  if #names <= MOST_NAMES then
    return table.concat(names, ', ')
  end
  return ('%s … %s'):format(table.concat(names, ', ', 1, MOST_NAMES - 1), names[#names])
end

--- What stands after an entry's text: "×8 on apollo, enterprise (rank0, rank1)".
---@param several boolean  whether the job has several hosts
local function spread(entry, several)
  local text = entry.count > 1 and (' ×%d'):format(entry.count) or ''
  if several and #entry.hosts > 0 then
    text = ('%s on %s'):format(text, some(entry.hosts))
  end
  if #entry.ranks > 0 then
    text = ('%s (%s)'):format(text, some(entry.ranks))
  end
  return text
end

--- What finds the definition of a function or class whose line is not known.
local function definition(symbol)
  return [[\C^\s*\%(async\s\+\)\?\%(def\|class\)\s\+]] .. symbol:gsub('[^%w_]', '') .. [[\>]]
end

local function item_of(entry, several)
  local is_known = entry.line > 0 or entry.symbol == ''
  return {
    filename = project.shown(entry.name),
    lnum = entry.line,
    col = entry.column,
    pattern = not is_known and definition(entry.symbol) or nil,
    type = entry.kind,
    text = (entry.text .. spread(entry, several)):gsub('[\r\n]+', ' '),
    valid = entry.library and 0 or 1,
    user_data = { count = entry.count, hosts = entry.hosts, ranks = entry.ranks },
  }
end

local function dropped(outcome)
  return tonumber(outcome.dropped) or 0
end

--- The rows of the list.
local function rows(outcome, several)
  local items, failure = {}, nil
  for i, entry in ipairs(outcome.places) do
    items[i] = item_of(entry, several)
    failure = failure or not entry.library and items[i] or nil
  end
  local text = require('igor.words').summary(outcome)
  local first = vim.tbl_extend('force', failure or items[1], { text = text, valid = 0, type = '' })
  table.insert(items, 1, first)
  if dropped(outcome) > 0 then
    items[#items + 1] = { text = ('and %d more'):format(dropped(outcome)), valid = 0 }
  end
  return items
end

--- Files of hosts are read for the project whose job named them.
local function tell_root(root)
  for _, item in ipairs(vim.fn.getqflist()) do
    if item.bufnr > 0 and vim.startswith(vim.api.nvim_buf_get_name(item.bufnr), 'igor://') then
      vim.b[item.bufnr].igor_root = root
    end
  end
end

local function open()
  local win = vim.api.nvim_get_current_win()
  vim.cmd('botright cwindow')
  vim.api.nvim_set_current_win(win)
end

local function is_in_list()
  local info = vim.fn.getwininfo(vim.api.nvim_get_current_win())[1]
  return info.quickfix == 1 and info.loclist == 0
end

--- Make the list that has this id the current one again, where the stack still has it.
local function go_back(id, view)
  local number = vim.fn.getqflist({ id = id, nr = 0 }).nr
  if number > 0 then
    vim.cmd(('silent %dchistory'):format(number))
    vim.fn.winrestview(view)
  end
end

--- Add the list at the end of the stack and make it the current one; where the cursor is in another
--- list, that one stays.
local function push(list, root)
  local before = is_in_list() and vim.fn.getqflist({ id = 0 }).id
  local view = vim.fn.winsaveview()
  vim.fn.setqflist({}, ' ', list)
  tell_root(root)
  if before then
    go_back(before, view)
  elseif require('igor.options').current.quickfix.open then
    open()
  end
end

--- How many places an outcome names, with those that are not listed.
function M.count(outcome)
  local places = type(outcome.places) == 'table' and #outcome.places or 0
  return places > 0 and places + dropped(outcome) or 0
end

--- List the places of a job that has ended; where there are none, no list is touched.
---@param job IgorJob
---@param outcome table
function M.show(job, outcome)
  if M.count(outcome) == 0 then
    return
  end
  local list = {
    nr = '$',
    title = job.title,
    items = rows(outcome, job.output.count > 1),
    idx = 1,
    context = { igor = { root = job.root, verb = job.verb, job = job.number } },
  }
  mode.persist(function()
    push(list, job.root)
  end)
end

return M
