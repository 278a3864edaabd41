-- What was sent to a REPL and waits for its prompt.
--
-- Most programs say when they read: they ask for pastes in brackets at each prompt. Of the others it
-- is taken that they read when they are quiet behind what looks like a prompt.
local notice = require('igor.ui.notice')
local send_text = require('igor.repl.send_text')
local terminals = require('igor.repl.terminal')

---@class IgorQueue
---@field announces boolean  whether the program has said once that it reads
---@field has_prompted boolean  whether it has shown what looks like a prompt
---@field repl IgorRepl
---@field waiting IgorBlock[]
local Queue = {}
Queue.__index = Queue

local LOOK_MS = 30
-- So long after a note its prompt is on the screen; and so long nothing was written behind a prompt,
-- by one that said that it reads, and in a line like any other.
local SHOWN_MS = 50
local PROMPT_QUIET_MS, SAID_QUIET_MS, QUIET_MS = 250, 400, 6000
-- Prompts as whole lines: a program's own output ends in such signs too. One word (`>>>`, `ipdb>`,
-- `julia>`), a shell's with its host or the name of an environment, a debugger's.
local DEBUGGERS = { '^%(%w+%)$', '^>>>$', '^%.%.%.$', '^ipdb>$', '^[$#]$' }
local PROMPTS = {
  '^%(%w+%)$', '^%S*[>$#%%]$', '^%S*»$', '^%S*❯$', '^%S*λ$',
  '^%[?%S+@%S+.*[>$#%%]$', '^%(%S+%) .*[>$#%%]$',
}
-- After so long it is said that something waits.
local PATIENCE_MS = 4000

---@param repl IgorRepl
---@return IgorQueue
function Queue.new(repl)
  local self = setmetatable({ repl = repl, waiting = {}, prompts = 0 }, Queue)
  self.has_prompted, self.announces = false, false
  self.changed = vim.uv.now()
  vim.api.nvim_buf_attach(repl.terminal.buf, false, {
    on_lines = function()
      self.changed = vim.uv.now()
    end,
  })
  return self
end

--- The last line with something in it: where the cursor of a program with a prompt is.
local function last_line(buf)
  local count = vim.api.nvim_buf_line_count(buf)
  local lines = vim.api.nvim_buf_get_lines(buf, math.max(0, count - 300), count, false)
  for i = #lines, 1, -1 do
    if lines[i]:find('%S') then
      return lines[i]
    end
  end
  return ''
end

local function is_prompt(line, patterns)
  local text = vim.trim(line)
  return vim.iter(patterns):any(function(pattern)
    return text:find(pattern) ~= nil
  end)
end

--- Whether the program reads now, as far as that can be known.
---@param block IgorBlock
function Queue:is_ready(block)
  local terminal = self.repl.terminal
  if terminal.state ~= 'running' then
    return false
  end
  local quiet = vim.uv.now() - self.changed
  if terminal.reads == 'prompt' or terminal.reads == 'editor' then
    self.announces = true
    -- It says so before it writes its prompt, which is shown a moment later.
    local is_shown = vim.uv.now() - terminal.noted >= SHOWN_MS
    return is_shown and (terminal.prompts > self.prompts or quiet >= SAID_QUIET_MS)
  end
  local line = last_line(terminal.buf)
  -- Who says when it reads has others read only in between: a debugger, an `input()`.
  if is_prompt(line, self.announces and DEBUGGERS or PROMPTS) then
    self.has_prompted = self.has_prompted or quiet >= PROMPT_QUIET_MS
    return quiet >= PROMPT_QUIET_MS
  end
  -- Python has a prompt, and one that shows nothing yet is still starting.
  local may_read = terminal.reads == 'unknown' and not self.has_prompted
  return may_read and (line ~= '' or not block.is_python) and quiet >= QUIET_MS
end

--- How the program is written to: whether in the brackets of a paste, and whether the text must do
--- without. Readline's Python before 3.13 asks for brackets where it may, and takes only one
--- statement at a time all the same; from 3.13 on it completes at a tab in them. tmux asks for them
--- whatever the program in it does.
function Queue:manner()
  local terminal = self.repl.terminal
  local is_python = last_line(terminal.buf):find('^>>>') ~= nil
  local pastes = terminal.reads == 'editor' or terminal.reads == 'prompt' and not is_python
  return pastes, is_python or self.repl.is_persistent
end

---@param block IgorBlock
function Queue:write(block)
  local terminal = self.repl.terminal
  self.prompts = terminal.prompts
  local data = send_text.encode(block, self:manner())
  terminals.write(terminal, data)
  terminals.scroll(terminal)
  self.changed = vim.uv.now()
end

function Queue:stop()
  if self.timer then
    self.timer:close()
    self.timer = nil
  end
end

--- Nobody reads any more: say what was not sent.
function Queue:drop()
  local count = #self.waiting
  self.waiting = {}
  self:stop()
  if count > 0 then
    notice.say(('%s: not sent: its program is gone'):format(self.repl.title), vim.log.levels.ERROR)
  end
end

--- Write what can be written now.
function Queue:look()
  local state = self.repl.terminal.state
  if state == 'lost' or state == 'ended' or not vim.api.nvim_buf_is_valid(self.repl.terminal.buf) then
    return self:drop()
  end
  while self.waiting[1] and self:is_ready(self.waiting[1]) do
    self:write(table.remove(self.waiting, 1))
  end
  if not self.waiting[1] then
    return self:stop()
  end
  if not self.said and state == 'running' and vim.uv.now() - self.began > PATIENCE_MS then
    self.said = true
    notice.say(('%s: busy; input is queued until the prompt returns'):format(self.repl.title))
  end
end

--- Send a block as soon as the program reads.
---@param block IgorBlock
function Queue:put(block)
  self.waiting[#self.waiting + 1] = block
  self.began, self.said = vim.uv.now(), false
  if not self.timer then
    self.timer = assert(vim.uv.new_timer())
    self.timer:start(LOOK_MS, LOOK_MS, vim.schedule_wrap(function()
      if self.timer then
        self:look()
      end
    end))
  end
  self:look()
end

return Queue
