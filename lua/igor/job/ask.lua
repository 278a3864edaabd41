-- Questions of a job: passwords, passphrases, yes or no. They are asked one at a time, and only
-- when the next keys can be meant for them.
local readiness = require('igor.ui.readiness')

local M = {}

---@class IgorQuestion
---@field host string
---@field text string
---@field echo boolean
---@field wanted fun(): boolean  whether the job still waits for the answer
---@field answer fun(text: string|nil)  nil if the user refused

---@type IgorQuestion[]
local waiting = {}
---@type fun()|nil  set while questions are asked
local release

local function put(question)
  local where = question.host ~= '' and question.host .. ': ' or ''
  local input = question.echo and vim.fn.input or vim.fn.inputsecret
  local prompt = { prompt = where .. question.text, cancelreturn = vim.NIL }
  local ok, text = pcall(input, prompt)
  vim.cmd.redraw()
  if not ok or text == vim.NIL then
    return nil
  end
  return text
end

local function next_one()
  local question = table.remove(waiting, 1)
  if not question then
    release()
    release = nil
    return
  end
  if question.wanted() then
    question.answer(put(question))
  end
  readiness.when(readiness.can_ask, next_one)
end

--- Ask as soon as the editor is ready.
---@param question IgorQuestion
function M.ask(question)
  waiting[#waiting + 1] = question
  if not release then
    release = readiness.watch_keys()
    readiness.when(readiness.can_ask, next_one)
  end
end

return M
