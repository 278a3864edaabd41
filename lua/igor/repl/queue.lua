-- Text that was sent to a REPL and waits for its prompt.
--
-- Most programs show when they read: they enable bracketed paste at each prompt. Any other program
-- is assumed to read when it writes nothing more after what looks like a prompt.
local notice = require('igor.ui.notice')
local send_text = require('igor.repl.send_text')
local terminals = require('igor.repl.terminal')

---@class IgorQueue
---@field announces boolean  whether the program has ever enabled bracketed paste
---@field has_prompted boolean  whether the program has shown what looks like a prompt
---@field repl IgorRepl
---@field waiting IgorBlock[]
local Queue = {}
Queue.__index = Queue

local LOOK_MS = 30
-- After a note, the prompt is on the screen within SHOWN_MS. The other times are how long the
-- screen must be unchanged: after what looks like a prompt, after a note, and after any other line.
local SHOWN_MS = 50
local PROMPT_QUIET_MS, SAID_QUIET_MS, QUIET_MS = 250, 400, 6000
-- Patterns match prompts as whole lines, because a program's output may also end in such
-- characters: one word (`>>>`, `ipdb>`, `julia>`), a shell's prompt with its host or an
-- environment's name, a debugger's.
local DEBUGGERS = { '^%(%w+%)$', '^>>>$', '^%.%.%.$', '^ipdb>$', '^[$#]$' }
local PROMPTS = {
  '^%(%w+%)$', '^%S*[>$#%%]$', '^%S*»$', '^%S*❯$', '^%S*λ$',
  '^%[?%S+@%S+.*[>$#%%]$', '^%(%S+%) .*[>$#%%]$',
}
-- After this time, tell the user that text is waiting.
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

--- Return the last line that is not blank: a program at its prompt has the cursor there.
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

--- Return whether the program reads now, as far as can be determined.
---@param block IgorBlock
function Queue:is_ready(block)
  local terminal = self.repl.terminal
  if terminal.state ~= 'running' then
    return false
  end
  local quiet = vim.uv.now() - self.changed
  if terminal.reads == 'prompt' or terminal.reads == 'editor' then
    self.announces = true
    -- The program enables bracketed paste just before it writes its prompt.
    local is_shown = vim.uv.now() - terminal.noted >= SHOWN_MS
    return is_shown and (terminal.prompts > self.prompts or quiet >= SAID_QUIET_MS)
  end
  local line = last_line(terminal.buf)
  -- If the program has enabled bracketed paste before, only something within it can read without
  -- it: a debugger, an `input()`.
  if is_prompt(line, self.announces and DEBUGGERS or PROMPTS) then
    self.has_prompted = self.has_prompted or quiet >= PROMPT_QUIET_MS
    return quiet >= PROMPT_QUIET_MS
  end
  -- Python shows a prompt, so a Python that has shown nothing yet is still starting.
  local may_read = terminal.reads == 'unknown' and not self.has_prompted
  return may_read and (line ~= '' or not block.is_python) and quiet >= QUIET_MS
end

--- Return whether to send the text as a bracketed paste, and whether it must also be fit to be
--- typed. Readline's Python before 3.13 may enable bracketed paste but still takes one statement at
--- a time; since 3.13, a tab in a paste completes. tmux enables it whatever the program in it does.
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

--- The program is gone: drop the queue, and report what was not sent.
function Queue:drop()
  local count = #self.waiting
  self.waiting = {}
  self:stop()
  if count > 0 then
    notice.say(('%s: not sent: its program is gone'):format(self.repl.title), vim.log.levels.ERROR)
  end
end

--- Send the blocks that the program is ready for.
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
