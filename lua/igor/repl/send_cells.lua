-- Cells: the parts of a file between lines such as `# %%`.
local M = {}

local CHUNK = 500

--- Return what begins a comment in this buffer.
local function leader(buf)
  local found = vim.trim(vim.bo[buf].commentstring:match('^(.-)%%s') or '')
  return found ~= '' and found or '#'
end

--- Return whether a line divides cells: `# %%` or `#%%`, with any text after it.
local function divides(line, comment)
  local start = line:match('^%s*()')
  if line:sub(start, start + #comment - 1) ~= comment then
    return false
  end
  return line:find('^%s*%%%%', start + #comment) ~= nil
end

--- Return the first dividing line from `from` to `to`, in steps of `step`; nil if there is none.
local function search(buf, from, to, step)
  local comment = leader(buf)
  for edge = from, to, CHUNK * step do
    local far = edge + (CHUNK - 1) * step
    far = step > 0 and math.min(far, to) or math.max(far, to)
    local low = math.min(edge, far)
    local lines = vim.api.nvim_buf_get_lines(buf, low - 1, math.max(edge, far), false)
    for row = edge, far, step do
      if divides(lines[row - low + 1], comment) then
        return row
      end
    end
  end
end

--- Return the first and last line of the cell around `row`, without its dividing line; and the line
--- that begins the next cell, nil in the last cell.
---@param buf integer
---@param row integer
function M.around(buf, row)
  local count = vim.api.nvim_buf_line_count(buf)
  local before = search(buf, row, 1, -1)
  local after = search(buf, row + 1, count, 1)
  return (before or 0) + 1, (after or count + 1) - 1, after
end

return M
