-- Whether the editor is ready for a message or question: igor must not swallow what the user types.
local M = {}

local CHECK_MS = 100
-- A question appears only after a pause in typing of this many milliseconds.
local PAUSE_MS = 500

local last_key = 0
local watchers = 0
local listener = vim.api.nvim_create_namespace('igor_keys')

--- Return whether vim.notify is Neovim's own, which writes to the message line.
local function notifies_in_line()
  local source = debug.getinfo(vim.notify, 'S').source -- '?' where it was compiled in without names
  return source == '?' or vim.startswith(source, '@vim/')
end

--- Return whether a message would be seen and do no harm: no command line, no "Press ENTER", and
--- nothing like "-- INSERT --" that would overwrite it at once.
function M.can_show()
  local now = vim.api.nvim_get_mode()
  local covered = vim.o.showmode and notifies_in_line() and now.mode:find('^[iRvV\22sS\19]')
  return not now.blocking and not now.mode:find('^[cr!]') and not covered
end

--- Return whether an error says that text and windows can't be changed now: the command-line window
--- is open, or a mapping waits for a key.
---@param err any
function M.is_lock(err)
  return err:find('E565:', 1, true) ~= nil or err:find('E11:', 1, true) ~= nil
end

--- Return whether a question may take the keys: in Normal mode, nothing half typed, and after a
--- pause.
function M.can_ask()
  local now = vim.api.nvim_get_mode()
  return now.mode == 'n'
    and not now.blocking
    and vim.fn.getcmdwintype() == ''
    and vim.fn.reg_executing() == ''
    and vim.fn.reg_recording() == ''
    and vim.uv.now() - last_key >= PAUSE_MS
end

--- Watch the keys for can_ask(), until the returned function is called.
function M.watch_keys()
  watchers = watchers + 1
  last_key = vim.uv.now()
  vim.on_key(function()
    last_key = vim.uv.now()
  end, listener)
  return function()
    watchers = watchers - 1
    if watchers == 0 then
      vim.on_key(nil, listener)
    end
  end
end

--- Throw an error that persist() recognizes, if text and windows can't be changed now.
function M.check()
  if vim.fn.getcmdwintype() ~= '' then
    error('E11: the command-line window is open', 0)
  end
  vim.api.nvim_set_current_win(vim.api.nvim_get_current_win())
end

--- Call `act` now, and again at intervals while the editor forbids what it does.
---@param act fun()
function M.persist(act)
  local ok, err = pcall(act)
  if not ok and M.is_lock(err) then
    vim.defer_fn(function()
      M.persist(act)
    end, CHECK_MS)
  elseif not ok then
    error(err, 0)
  end
end

--- Call `act` as soon as `ready()` is true, at once if it is already.
---@param ready fun(): boolean
---@param act fun()
function M.when(ready, act)
  if ready() then
    return act()
  end
  local timer = assert(vim.uv.new_timer())
  local function check()
    if not timer:is_closing() and ready() then
      timer:close()
      act()
    end
  end
  timer:start(CHECK_MS, CHECK_MS, vim.schedule_wrap(check))
end

return M
