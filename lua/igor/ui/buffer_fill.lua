-- Put a long text into a read-only buffer without blocking the editor.
local readiness = require('igor.ui.readiness')

local M = {}

-- Number of lines and nanoseconds after which the editor gets its turn.
local PUT_LINES, TURN_NS = 5000, 5e6

---@type { buf: integer, from: integer, to: integer, lines: string[] }|nil  see put()
local new

--- Replace the lines; only for put().
function M.replace()
  vim.api.nvim_buf_set_lines(new.buf, new.from, new.to, false, new.lines)
end

--- Replace lines of a buffer with `lines`, without an undo entry, and set its `options`. Keep the
--- quickfix list's positions and the marks where they are: they refer to the new text, not to the
--- old. Throw an error while the editor forbids changes.
---@param buf integer
---@param from integer
---@param to integer
---@param lines string[]
---@param options table<string, any>|nil
function M.put(buf, from, to, lines, options)
  local its = vim.bo[buf]
  its.modifiable, its.undolevels = true, -1
  new = { buf = buf, from = from, to = to, lines = lines }
  local ok, err = pcall(vim.cmd, [[lockmarks lua require('igor.ui.buffer_fill').replace()]])
  new = nil
  for name, value in pairs(ok and options or {}) do
    its[name] = value
  end
  its.modifiable, its.modified = false, false
  if not ok then
    error(err, 0)
  end
end

--- Run `act` as a coroutine. It gets two functions: one to pause, and one that calls another
--- function until the editor allows what that does.
---@param act fun(pause: fun(), insist: fun(step: fun()))
function M.in_turns(act)
  local running, since
  local function go_on()
    since = vim.uv.hrtime()
    assert(coroutine.resume(running))
  end
  local function pause()
    if vim.uv.hrtime() - since > TURN_NS then
      vim.defer_fn(go_on, 1)
      coroutine.yield()
    end
  end
  local function insist(step)
    local is_done, is_waiting = false, false
    readiness.persist(function()
      step()
      is_done = true
      if is_waiting then
        vim.schedule(go_on)
      end
    end)
    is_waiting = not is_done
    if is_waiting then
      coroutine.yield()
    end
  end
  running = coroutine.create(function()
    act(pause, insist)
  end)
  go_on()
end

--- Replace the first lines of a buffer with `lines`, from the top, as long as `is_wanted()`.
---@param buf integer
---@param lines string[]
---@param is_wanted fun(): boolean
---@param pause fun()
---@param insist fun(step: fun())
function M.cover(buf, lines, is_wanted, pause, insist)
  for from = 0, #lines - 1, PUT_LINES do
    local to = math.min(from + PUT_LINES, #lines)
    local these = vim.list_slice(lines, from + 1, to)
    insist(function()
      if is_wanted() then
        M.put(buf, from, to, these)
      end
    end)
    pause()
  end
end

return M
