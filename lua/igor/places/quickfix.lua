-- Show the locations in a job's output as a quickfix list.
--
-- The first row says how the job ended and leads to the failure, like the row below it; so :cfirst,
-- :cc and the first :cnext all lead to the failure. That row and those of libraries are not
-- "valid": :cnext skips them, <CR> on them opens them.
local buffer_fill = require('igor.ui.buffer_fill')
local openable = require('igor.places.openable')
local project = require('igor.project')

local M = {}

-- The most names of hosts and ranks to spell out.
local MOST_NAMES = 4
-- The most locations to list: for each file that it lists, Vim searches all of its buffers.
local MOST_PLACES = 500
-- Number of rows to add at once.
local SLICE = 25

local function some(names)
  if #names <= MOST_NAMES then
    return table.concat(names, ', ')
  end
  return ('%s … %s'):format(table.concat(names, ', ', 1, MOST_NAMES - 1), names[#names])
end

--- Return the text after an entry: "×8 on apollo, enterprise (rank0, rank1)".
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

--- Return the pattern for the definition of a function or class whose line is unknown.
local function definition(symbol)
  return [[\C^\s*\%(async\s\+\)\?\%(def\|class\)\s\+]] .. symbol:gsub('[^%w_]', '') .. [[\>]]
end

--- Return the row for a location. It leads nowhere if the name may not be opened.
local function item_of(entry, several, root)
  local is_known = entry.line > 0 or entry.symbol == ''
  local text = (entry.text .. spread(entry, several)):gsub('[\r\n]+', ' ')
  if openable.problem(entry.name, root) then
    return { text = ('%s:%d: %s'):format(vim.fn.strtrans(entry.name), entry.line, text), valid = 0 }
  end
  return {
    filename = project.shown(entry.name),
    lnum = entry.line,
    col = entry.column,
    pattern = not is_known and definition(entry.symbol) or nil,
    type = entry.kind,
    text = text,
    valid = entry.library and 0 or 1,
    user_data = { count = entry.count, hosts = entry.hosts, ranks = entry.ranks },
  }
end

---@param outcome IgorOutcome
local function dropped(outcome)
  return tonumber(outcome.dropped) or 0
end

local function text_row(text)
  return { text = text, valid = 0 }
end

--- Return the first row: how the job ended, with the location of the failure.
---@param outcome IgorOutcome
local function first_row(outcome, root)
  local failure = vim.iter(outcome.places):find(function(entry)
    return not entry.library
  end)
  local item = item_of(failure or outcome.places[1], false, root)
  return vim.tbl_extend('force', item, text_row(require('igor.ui.format').summary(outcome)), { type = '' })
end

--- Return a function that makes the rows of the list one by one, and returns nil after the last.
---@return fun(number: integer): table|nil
---@param outcome IgorOutcome
local function rows(outcome, several, root)
  local listed = math.min(#outcome.places, MOST_PLACES)
  local more = #outcome.places - listed + dropped(outcome)
  return function(number)
    if number == 1 then
      return first_row(outcome, root)
    elseif number <= listed + 1 then
      return item_of(outcome.places[number - 1], several, root)
    elseif number == listed + 2 and more > 0 then
      return text_row(('and %d more'):format(more))
    end
  end
end

--- Return the buffers of host files, by name. They are read for the project and host group of the
--- job that named them, and again if they were read before, since the job may have changed the
--- files.
---@param job IgorJob
local function buffers_for(job)
  return setmetatable({}, {
    __index = function(known, name)
      known[name] = require('igor.places.remote_file').buffer(name, job.root, job.args.group, true)
      return known[name]
    end,
  })
end

--- Return the next rows.
local function slice(row, from, buffers)
  local items = {}
  for number = from, from + SLICE - 1 do
    local item = row(number)
    if item and vim.startswith(item.filename or '', 'igor://') then
      item.bufnr, item.filename = buffers[item.filename], nil
    end
    items[#items + 1] = item
  end
  return items
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

--- Make the list with this id the current one again, if it is still in the stack.
local function go_back(id, view)
  local number = vim.fn.getqflist({ id = id, nr = 0 }).nr
  if number > 0 then
    vim.cmd(('silent %dchistory'):format(number))
    vim.fn.winrestview(view)
  end
end

--- Return the id of the list that the cursor is in, and the window's view.
local function where()
  return is_in_list() and vim.fn.getqflist({ id = 0 }).id, vim.fn.winsaveview()
end

--- Add a list at the end of the stack and make it the current one. Return its id.
local function push(list)
  vim.fn.setqflist({}, ' ', list)
  return vim.fn.getqflist({ id = 0 }).id
end

--- Append rows to the list that has `size`, whichever list is the current one. Return whether any
--- were added; none are if the list is gone or something else has filled it.
local function append(id, size, items)
  if #items == 0 or vim.fn.getqflist({ id = id, size = 0 }).size ~= size then
    return false
  end
  vim.fn.setqflist({}, 'a', { id = id, items = items })
  return true
end

--- Return the project and group of the list in the current window, or nil if the list is not
--- igor's.
local function whose()
  local context = is_in_list() and vim.fn.getqflist({ context = 0 }).context
  local its = type(context) == 'table' and context.igor
  return its and { igor_root = its.root, igor_group = its.group } or nil
end

--- Map gf in the windows of igor's lists to open what it opens in the output.
local function map_windows()
  local group = vim.api.nvim_create_augroup('igor_quickfix', {})
  local function map(event)
    require('igor.places').map(event.buf, whose)
  end
  vim.api.nvim_create_autocmd('FileType', { group = group, pattern = 'qf', callback = map })
  local buf = vim.fn.getqflist({ qfbufnr = 0 }).qfbufnr
  if buf > 0 then
    map({ buf = buf })
  end
end

--- Return how many locations an outcome has, including those not listed.
---@param outcome IgorOutcome
function M.count(outcome)
  local places = type(outcome.places) == 'table' and #outcome.places or 0
  return places > 0 and places + dropped(outcome) or 0
end

--- List the locations of a finished job: the failure at once, the others in turns. If there are
--- none, change no list.
---@param job IgorJob
---@param outcome IgorOutcome
function M.show(job, outcome)
  if M.count(outcome) == 0 then
    return
  end
  local row, buffers = rows(outcome, job.output.count > 1, job.root), buffers_for(job)
  local list = {
    nr = '$',
    title = job.title,
    idx = 1,
    context = {
      igor = { root = job.root, group = job.args.group, verb = job.verb, job = job.number },
    },
  }
  map_windows()
  buffer_fill.in_turns(function(pause, insist)
    local before, view, id
    insist(function()
      before, view = where()
      list.items = slice(row, 1, buffers)
      id = push(list)
    end)
    insist(function()
      if before then
        go_back(before, view)
      elseif require('igor.options').current.quickfix.open then
        open()
      end
    end)
    local size, is_open = #list.items, true
    while is_open do
      pause()
      insist(function()
        local items = slice(row, size + 1, buffers)
        is_open = append(id, size, items)
        size = size + #items
      end)
    end
  end)
end

return M
