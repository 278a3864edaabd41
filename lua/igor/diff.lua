-- :IgorDiff: show the local file beside the host's version, in a tab page for each path.
local readiness = require('igor.ui.readiness')
local notice = require('igor.ui.notice')
local open_location = require('igor.places.open_location')
local project = require('igor.project')

local M = {}

local WARN = vim.log.levels.WARN
-- The most tab pages that one command opens.
local MOST = 5
-- diff(1)'s exit status for differences, which are no failure of this command.
local DIFFERS = 1

--- Return the place that the command acts on, the directory that paths are relative to, the file in
--- the window, and the project's files with unwritten changes. Neovim evaluates it when the command
--- is given.
function M.place()
  local place = require('igor.command.exit_guard').place()
  local unwritten = {}
  for buf in pairs(project.unwritten(place)) do
    unwritten[#unwritten + 1] = vim.fs.normalize(vim.api.nvim_buf_get_name(buf))
  end
  local file = vim.b.igor_file or vim.fn.expand('%:p')
  return { place = place, cwd = vim.fn.getcwd(), file = file, unwritten = unwritten }
end

local function existing(name)
  return vim.iter(vim.api.nvim_list_bufs()):find(function(buf)
    return vim.api.nvim_buf_get_name(buf) == name
  end)
end

--- Return a read-only buffer with the host's version.
local function host_buffer(root, found)
  local name = ('igor-diff://%s/%s'):format(found.host, found.path)
  local old = existing(name)
  if old then
    vim.api.nvim_buf_delete(old, { force = true })
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, name)
  local lines, options = require('igor.places.decode').lines(found.there.content)
  vim.api.nvim_buf_set_lines(buf, 0, -1, true, lines)
  local file = root .. '/' .. found.path
  local its = vim.bo[buf]
  its.endofline, its.fileformat = options.endofline, options.fileformat
  its.filetype = vim.filetype.match({ filename = file, contents = lines }) or ''
  its.bufhidden, its.modifiable, its.readonly, its.modeline = 'wipe', false, true, false
  vim.b[buf].igor_root, vim.b[buf].igor_file, vim.b[buf].igor_host = root, file, found.host
  require('igor.places').map(buf)
  return buf
end

local function open(root, found)
  open_location.edit(root .. '/' .. found.path, root, 'tabnew')
  local here = vim.api.nvim_get_current_win()
  local there = vim.api.nvim_open_win(host_buffer(root, found), false, { split = 'right', win = here })
  for _, win in ipairs({ here, there }) do
    vim.api.nvim_win_call(win, vim.cmd.diffthis)
  end
end

local function can_be_shown(found)
  local here = found.here
  return found.there.content ~= nil and (here.text or here.kind == '')
end

local function show(root, data)
  local texts, others = {}, {}
  for _, found in ipairs(data) do
    table.insert(can_be_shown(found) and texts or others, found)
  end
  for i = 1, math.min(#texts, MOST) do
    local ok, err = pcall(open, root, texts[i])
    if not ok then
      notice.say(tostring(err), vim.log.levels.ERROR)
    end
  end
  for _, found in ipairs(others) do
    local text = '%s: on %s %s, here %s'
    notice.say(text:format(found.path, found.host, found.there.words, found.here.words), WARN)
  end
  if #texts > MOST then
    notice.say(('%d more differ: name them, see :IgorOutput'):format(#texts - MOST))
  end
end

--- Close the host's versions of resolved files, which are outdated. Without paths: all of the
--- project.
local function forget(root, paths)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local file = vim.b[buf].igor_file
    if file and vim.b[buf].igor_root == root and (#paths == 0 or vim.tbl_contains(paths, file)) then
      for _, win in ipairs(vim.fn.win_findbuf(buf)) do
        vim.api.nvim_win_call(win, function()
          vim.cmd('diffoff!')
        end)
      end
      vim.api.nvim_buf_delete(buf, { force = true })
    end
  end
end

local function finished(job, outcome)
  local args, root = job.args, project.root(job.root) or job.root
  if args.ours or args.theirs then
    if outcome.status == 0 then
      forget(root, args.paths or {})
    end
    vim.cmd.checktime()
  elseif type(outcome.data) == 'table' then
    show(root, outcome.data)
  end
end

local function soften(result)
  return vim.tbl_extend('force', result, { ok = result.ok or result.kind == 'differs' })
end

--- Convert an event of a diff job to that of any job: a difference is no failure.
---@param job IgorJob
---@param event table  an event of any type
function M.received(job, event)
  if event.type == 'result' then
    return soften(event)
  elseif event.type ~= 'finished' then
    return event
  end
  local act = vim.schedule_wrap(function()
    finished(job, event)
  end)
  readiness.when(readiness.can_ask, act)
  local softened = vim.tbl_extend('force', event, { results = vim.tbl_map(soften, event.results) })
  softened.status = event.status == DIFFERS and 0 or event.status
  return softened
end

--- Return a path as typed on the command line, or nil if impossible: `"` would begin a comment.
local function typed(path)
  return not path:find('[%c"]') and path:gsub('[%s\\|]', '\\%0') or nil
end

--- Return the paths that begin with `lead`: those that are held back, else files.
---@param lead string
function M.complete(lead)
  local told = require('igor.sync.projects').all()[project.root(project.place()) or '']
  local found = {}
  for _, host in ipairs(told and told.hosts or {}) do
    for _, path in ipairs(host.held_back) do
      found[path] = vim.startswith(path, lead) or nil
    end
  end
  local paths = next(found) and vim.tbl_keys(found) or vim.fn.getcompletion(lead, 'file')
  return vim.iter(paths):map(typed):totable()
end

return M
