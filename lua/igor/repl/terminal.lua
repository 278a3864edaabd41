-- The terminal in which igor's command line runs a REPL. The command line writes notes between the
-- program's output that say what the program does (igor_core/cli/embedded.py).
local M = {}

local NOTE = '^\27%]7707;(%w+);(%a+)'
-- Length of the mark of a terminal's notes, which the program must not be able to guess.
local MARK_BYTES = 12

---@class IgorTerminal
---@field buf integer
---@field job integer
---@field state string  'starting', 'running', 'lost' or 'ended'
---@field reads string  'unknown', 'prompt', 'editor' or 'busy', as the notes have it
---@field prompts integer  how often the program has reported that it reads
---@field noted integer  time of the last note, in milliseconds of the event loop
---@field status integer|nil  exit status, once it has ended
---@field told function  called after each change

--- Terminals by the marks of their notes.
local by_mark = {}

local function mark()
  return (vim.uv.random(MARK_BYTES):gsub('.', function(byte)
    return ('%02x'):format(byte:byte())
  end))
end

---@param terminal IgorTerminal
local function take(terminal, what)
  terminal.noted = vim.uv.now()
  if what == 'starting' or what == 'running' or what == 'lost' then
    terminal.state, terminal.reads = what, 'unknown'
  else
    terminal.reads = what
    terminal.prompts = terminal.prompts + (what == 'busy' and 0 or 1)
  end
  terminal.told()
end

local function on_request(event)
  local sequence = type(event.data) == 'table' and event.data.sequence or event.data
  local found, what = tostring(sequence):match(NOTE)
  if by_mark[found] then
    take(by_mark[found], what)
  end
end

--- Listen for the notes of all terminals; it costs nothing if there are none.
local function listen()
  vim.api.nvim_create_autocmd('TermRequest', {
    group = vim.api.nvim_create_augroup('igor_repl', {}),
    callback = on_request,
  })
end

local function run(argv, options)
  if vim.fn.has('nvim-0.11') == 1 then
    options.term = true
    return vim.fn.jobstart(argv, options)
  end
  return vim.fn.termopen(argv, options)
end

--- Rename the terminal's buffer, and delete the buffer that Neovim keeps for the old name.
local function rename(buf, name)
  local old = vim.api.nvim_buf_get_name(buf)
  vim.api.nvim_buf_set_name(buf, name)
  for _, left in ipairs(vim.api.nvim_list_bufs()) do
    if left ~= buf and vim.api.nvim_buf_get_name(left) == old then
      vim.api.nvim_buf_delete(left, { force = true })
    end
  end
end

--- Start `argv` in the window `win`. The window must have its final size, so that the program sees
--- no other.
---@param win integer  window with the new, empty buffer that becomes the terminal
---@param argv string[]
---@param name string  name of the buffer
---@param told function  called with the terminal after each change of its state
---@return IgorTerminal
function M.start(win, argv, name, told)
  listen()
  local own = mark()
  local terminal = { buf = vim.api.nvim_win_get_buf(win) }
  terminal.state, terminal.reads, terminal.prompts = 'starting', 'unknown', 0
  terminal.told = function()
    told(terminal)
  end
  by_mark[own] = terminal
  vim.api.nvim_win_call(win, function()
    terminal.job = run(argv, {
      env = { IGOR_TERMINAL = own },
      on_exit = function(_, status)
        by_mark[own] = nil
        terminal.state, terminal.status = 'ended', status
        terminal.told()
      end,
    })
  end)
  rename(terminal.buf, name)
  return terminal
end

--- Write to the program. It need not read the data at once.
---@param terminal IgorTerminal
---@param data string
function M.write(terminal, data)
  vim.fn.chansend(terminal.job, data)
end

--- Move the cursor to the end in all windows that show the terminal, so that they follow its
--- output.
---@param terminal IgorTerminal
function M.scroll(terminal)
  local last = vim.api.nvim_buf_line_count(terminal.buf)
  for _, win in ipairs(vim.fn.win_findbuf(terminal.buf)) do
    vim.api.nvim_win_set_cursor(win, { last, 0 })
  end
end

return M
