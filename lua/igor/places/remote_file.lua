-- igor://host/path: a file on a host, read through the agent. It can be read, not changed.
--
-- A command that opens such a buffer sets the cursor before the text has arrived. So the buffer
-- begins with so many empty lines that the cursor can go to any line, and the text replaces them.
local agent = require('igor.client')
local decode = require('igor.places.decode')
local buffer_fill = require('igor.ui.buffer_fill')
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local project = require('igor.project')

local M = {}

local namespace = vim.api.nvim_create_namespace('igor_remote_file')
local EMPTY_LINES = 50000

-- Highlights of the lines that replace a text that could not be read.
local FAILURE = { 'IgorError', 'IgorHint' }

local readings = 0

--- Return host and path of an address.
local function parts(name)
  return name:match('^igor://(.-)(/.*)$')
end

--- Return the project that a file is read for, and its host group if known: those of the text that
--- named it, else those of the alternate buffer, else the project of the working directory.
local function owner_of(buf, host)
  local its = vim.b[buf]
  if its.igor_root then
    return its.igor_root, its.igor_group
  end
  local from = vim.fn.bufnr('#')
  local here = from > 0 and vim.b[from] or {}
  if here.igor_root then
    return here.igor_root, here.igor_host == host and here.igor_group or nil
  end
  return from > 0 and project.locate_buffer(from) or project.root(vim.fn.getcwd())
end

local function say_in(buf, text, group)
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    local row = vim.api.nvim_win_get_cursor(win)[1] - 1
    vim.api.nvim_buf_set_extmark(buf, namespace, row, 0, { virt_text = { { text, group } } })
  end
end

--- Return each window's current view, since the cursor may have moved meanwhile.
local function views(buf)
  local found = {}
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    found[win] = vim.api.nvim_win_call(win, vim.fn.winsaveview)
  end
  return found
end

--- Return the quickfix list's current entry, if it is about this buffer.
local function wanted_by_list(buf)
  local list = vim.fn.getqflist({ idx = 0, items = 0 })
  local item = list.items[list.idx]
  return item and item.bufnr == buf and item or nil
end

--- Go to the column, or to the line of a symbol, which was impossible before the text was there.
local function refine(buf, view)
  local wanted = vim.b[buf].igor_wanted
  local item = wanted_by_list(buf)
  if wanted and (view.lnum <= #FAILURE or view.lnum == math.min(wanted[1], EMPTY_LINES)) then
    view.lnum, view.col = wanted[1], math.max(wanted[2] - 1, 0)
  elseif item and item.lnum > 0 and item.lnum == view.lnum then
    view.col = math.max(item.col - 1, 0)
  elseif item and item.pattern ~= '' and view.lnum == 1 then
    vim.fn.cursor(1, 1)
    view.lnum = math.max(vim.fn.search(item.pattern, 'c'), 1)
  end
end

local function restore(buf, found)
  local last = vim.api.nvim_buf_line_count(buf)
  for win, view in pairs(found) do
    if vim.api.nvim_win_is_valid(win) and vim.api.nvim_win_get_buf(win) == buf then
      vim.api.nvim_win_call(win, function()
        refine(buf, view)
        view.lnum = math.min(view.lnum, last)
        view.topline = math.min(view.topline, view.lnum)
        vim.fn.winrestview(view)
        vim.cmd('normal! zv')
      end)
    end
  end
  vim.b[buf].igor_wanted = nil
end

local function set_filetype(buf, path, lines)
  local filetype, configure = vim.filetype.match({ filename = path, contents = lines, buf = buf })
  if filetype then
    vim.bo[buf].filetype = filetype
    if configure then
      configure(buf)
    end
  end
end

--- Replace the empty lines by the text; `is_wanted()` tells whether that is still wanted.
local function fill(buf, path, content, is_wanted)
  buffer_fill.in_turns(function(pause, insist)
    local lines, options = decode.lines(content, pause)
    buffer_fill.cover(buf, lines, is_wanted, pause, insist)
    insist(function()
      if not is_wanted() then
        return
      end
      local found = views(buf)
      buffer_fill.put(buf, #lines, -1, {}, options)
      restore(buf, found)
      set_filetype(buf, path, lines)
      vim.b[buf].igor_is_read = true
    end)
  end)
end

local function failed(buf, outcome)
  local text = outcome.error:gsub('%s*[\r\n]+%s*', ' ')
  local hint = outcome.hint ~= '' and (' (%s)'):format(outcome.hint) or ''
  local _, view = next(views(buf))
  if view and view.lnum > #FAILURE then
    vim.b[buf].igor_wanted = { view.lnum, view.col }
  end
  buffer_fill.put(buf, 0, -1, { text .. hint, ':e tries again' })
  for row, group in ipairs(FAILURE) do
    vim.api.nvim_buf_set_extmark(buf, namespace, row - 1, 0, { end_row = row, hl_group = group })
  end
  vim.b[buf].igor_is_read = true
  notice.say(text, vim.log.levels.ERROR)
end

--- Handle the agent's answer. Ignore it if the buffer was read again meanwhile or is gone.
local function answered(buf, reading, path, outcome)
  local function is_wanted()
    return vim.api.nvim_buf_is_loaded(buf) and vim.b[buf].igor_remote == reading
  end
  if not is_wanted() then
    return
  end
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  if outcome.status == 0 then
    fill(buf, path, outcome.data.content, is_wanted)
  else
    failed(buf, outcome)
  end
end

--- Prepare a buffer for reading. Nothing in the text may set options.
local function prepare(buf)
  readings = readings + 1
  local its = vim.bo[buf]
  its.buftype, its.swapfile, its.undofile = 'acwrite', false, false
  its.modeline = false
  vim.b[buf].igor_remote, vim.b[buf].igor_is_read = readings, false
  buffer_fill.put(buf, 0, -1, vim.split(('\n'):rep(EMPTY_LINES - 1), '\n'))
  return readings
end

--- Read the file of a buffer that is being opened or read again.
---@param buf integer
---@param name string
function M.read(buf, name)
  require('igor.ui.highlights').define()
  local host, path = parts(name)
  local root, group = owner_of(buf, host)
  local reading = prepare(buf)
  if not host or host == '' then
    return failed(buf, { error = name .. ' names no file', hint = 'igor://host/path' })
  elseif not root then
    return failed(buf, { error = name .. ' belongs to no project', hint = 'open it from its files' })
  end
  local problem = require('igor.places.openable').problem(name)
  if problem then
    return failed(buf, { error = ('%s %s'):format(name, problem), hint = '' })
  end
  vim.b[buf].igor_root, vim.b[buf].igor_group, vim.b[buf].igor_host = root, group, host
  vim.schedule(function()
    if vim.api.nvim_buf_is_loaded(buf) and not vim.b[buf].igor_is_read then
      say_in(buf, ('reading %s from %s …'):format(path, host), 'IgorStep')
    end
  end)
  agent.request('read', root, { name = name, group = group }, vim.schedule_wrap(function(outcome)
    readiness.persist(function()
      answered(buf, reading, path, outcome)
    end)
  end))
end

--- Read an outdated text again: at once if it is visible, else when it is shown next.
local function renew(buf)
  local win = vim.fn.win_findbuf(buf)[1]
  if win then
    local cursor = vim.api.nvim_win_get_cursor(win)
    M.read(buf, vim.api.nvim_buf_get_name(buf))
    vim.b[buf].igor_wanted = vim.b[buf].igor_wanted or { cursor[1], cursor[2] + 1 }
  elseif vim.api.nvim_buf_is_loaded(buf) then
    vim.cmd.bunload(buf)
  end
end

--- Return the buffer of a file for a project and a host group (nil: unknown). Projects with a
--- common host share the names of its files, so a text that was read for another project is read
--- again. Throw an error while the editor forbids changes.
---@param name string  igor://host/path
---@param root string
---@param group string|nil
---@param is_new boolean  whether the file may be newer than the text that was read
function M.buffer(name, root, group, is_new)
  local buf = vim.fn.bufadd(name)
  local its = vim.b[buf]
  local is_other = its.igor_root ~= root or its.igor_group ~= group
  its.igor_is_old = its.igor_is_old or is_other or is_new
  its.igor_root, its.igor_group = root, group
  if its.igor_is_old then
    renew(buf)
    its.igor_is_old = nil
  end
  return buf
end

--- Handle an empty buffer that is given such a name; a session restores buffers with a 'buftype'
--- so. Return whether it is being read.
---@param buf integer
---@param name string
function M.named(buf, name)
  local lines = vim.api.nvim_buf_get_lines(buf, 0, 2, false)
  if vim.bo[buf].buftype == '' and #lines == 1 and lines[1] == '' then
    M.read(buf, name)
    return true
  end
  return false
end

--- Move the cursor of the current window, which shows `buf`, to line and column (0: unknown), or do
--- so once the text is there.
---@param buf integer
---@param position integer[]
function M.when_read(buf, position)
  local last = vim.api.nvim_buf_line_count(buf)
  vim.api.nvim_win_set_cursor(0, { math.min(position[1], last), math.max(position[2] - 1, 0) })
  if not vim.b[buf].igor_is_read then
    vim.b[buf].igor_wanted = position
  end
end

--- Refuse `:w` in such a buffer, or to such a name.
---@param name string
function M.refuse_write(name)
  local text = 'not written: the file is on %s, and only shown here; :w {file} copies it'
  notice.say(text:format(parts(name) or 'a host'), vim.log.levels.ERROR)
end

--- Refuse `:r igor://…`, which can't wait for the host.
---@param name string
function M.refuse_insert(name)
  notice.say((':r cannot read from a host; use :e %s'):format(name), vim.log.levels.ERROR)
end

return M
