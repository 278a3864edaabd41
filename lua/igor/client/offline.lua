-- Saves made while no agent was running, in a file that the next agent reads: one line "root NUL
-- path LF" for each. An empty path means that any file may have changed.
local directories = require('igor.directories')
local uv = vim.uv

local M = {}

local function lines_of(saves)
  local lines = {}
  for root, paths in pairs(saves) do
    for path in pairs(paths) do
      -- A path with a line break would be read as two lines.
      lines[#lines + 1] = root .. '\0' .. (path:find('\n') and '' or path) .. '\n'
    end
  end
  return table.concat(lines)
end

local function is_still(file)
  local ours, there = uv.fs_fstat(file), uv.fs_stat(directories.state() .. '/unsent')
  return ours and there and ours.ino == there.ino
end

--- Append `saves`, a table root → set of paths. Return whether they are in the file.
---@param saves table<string, table<string, true>>
function M.append(saves)
  local text = lines_of(saves)
  if text == '' then
    return true
  end
  for _ = 1, 5 do
    local file = directories.append_to('unsent')
    if not file then
      return false
    end
    local written = uv.fs_write(file, text)
    -- A starting agent renames the file before it reads it. If that happened during the write, the
    -- agent may have missed it, so write again.
    local done = written == #text and is_still(file)
    uv.fs_close(file)
    if done then
      return true
    end
  end
  return false
end

return M
