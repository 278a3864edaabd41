-- One-line messages. A longer one, or two at once, would cause "Press ENTER" and swallow a key that
-- the user types; the whole text is in the job's output.
local readiness = require('igor.ui.readiness')

local M = {}

local waiting = {}

local CUT = '…'

--- Return the text, cut to the width of the message line; some characters take two cells.
local function shortened(text)
  local width = vim.fn.strdisplaywidth
  if width(text) <= vim.v.echospace then
    return text
  end
  local room = vim.v.echospace - width(CUT)
  local shown = vim.fn.strcharpart(text, 0, room)
  while width(shown) > room do
    shown = vim.fn.strcharpart(shown, 0, vim.fn.strchars(shown) - 1)
  end
  return shown .. CUT
end

local function show()
  if #waiting == 0 then
    return
  end
  local level, texts = vim.log.levels.DEBUG, {}
  for i, notice in ipairs(waiting) do
    texts[i] = notice.text
    level = math.max(level, notice.level)
  end
  waiting = {}
  vim.cmd.redraw()
  vim.notify(shortened(table.concat(texts, ' · ')), level)
end

--- Show `text` in the message line as soon as that is free.
---@param text string
---@param level integer|nil  one of vim.log.levels; default: INFO
function M.say(text, level)
  waiting[#waiting + 1] = {
    text = 'igor: ' .. text:gsub('%s*[\r\n]+%s*', ' '):gsub('%c', vim.fn.strtrans),
    level = level or vim.log.levels.INFO,
  }
  if #waiting == 1 then
    vim.schedule(function()
      readiness.when(readiness.can_show, show)
    end)
  end
end

return M
