-- In the editor that is measured: saves, and how long the editor stood still.
local probe = { began = 0, blocked = 0, stall = 0 }

-- Replace a line (counted from 0) and `:write`; the time begins just before `:write`.
function probe.save(line, text)
  vim.api.nvim_buf_set_lines(0, line, line + 1, true, { text })
  probe.stall = 0
  probe.began = vim.uv.hrtime()
  vim.cmd('silent write')
  probe.blocked = vim.uv.hrtime() - probe.began
end

-- From now on keep in `stall` by how much a tick of 1 ms came late at worst.
function probe.tick()
  local timer = vim.uv.new_timer()
  local last = vim.uv.hrtime()
  timer:start(1, 1, function()
    local now = vim.uv.hrtime()
    probe.stall = math.max(probe.stall, now - last - 1000000)
    last = now
  end)
end

function probe.taken()
  return { probe.began, probe.blocked, probe.stall }
end

_G.bench_probe = probe
