-- Terminal colours (SGR, ECMA-48 8.3.117 and xterm's 256 and 24-bit forms) as highlight groups.
local M = {}

-- xterm's first sixteen colours; those of the colour scheme (g:terminal_color_N) take precedence.
local BASE = {
  [0] = '#000000', '#cd0000', '#00cd00', '#cdcd00', '#3b78ff', '#cd00cd', '#00cdcd', '#e5e5e5',
  '#7f7f7f', '#ff0000', '#00ff00', '#ffff00', '#5c5cff', '#ff00ff', '#00ffff', '#ffffff',
} -- stylua: ignore

-- Neovim has room for some 20,000 groups. Beyond this many, each 24-bit colour uses the nearest of
-- the 256.
local MAX_GROUPS = 1000

local SWITCHES = {
  [1] = { 'bold', true }, [2] = { 'dim', true }, [3] = { 'italic', true },
  [7] = { 'reverse', true }, [9] = { 'strikethrough', true },
  [23] = { 'italic', nil }, [24] = { 'underline', nil }, [27] = { 'reverse', nil },
  [29] = { 'strikethrough', nil }, [39] = { 'fg', nil }, [49] = { 'bg', nil },
} -- stylua: ignore

local ATTRIBUTES = { 'fg', 'bg', 'bold', 'dim', 'italic', 'underline', 'reverse', 'strikethrough' }

---@class IgorStyle
---@field key string
---@field fg integer|string|nil  one of the 256 colours, or '#rrggbb'
---@field bg integer|string|nil
---@field bold boolean|nil
---@field dim boolean|nil
---@field underline boolean|nil

--- All styles by their attributes. Equal styles are the same table, so spans compare by identity.
local styles = setmetatable({}, { __mode = 'v' })
--- Styles with a highlight group: key → { name, style }.
local groups, group_count = {}, 0

local function interned(style)
  local parts = {}
  for i, name in ipairs(ATTRIBUTES) do
    parts[i] = tostring(style[name] or '')
  end
  local key = table.concat(parts, ',')
  if not styles[key] then
    style.key = key
    styles[key] = style
  end
  return styles[key]
end

--- The style of text after a reset. Kept here so that it always is the same table.
M.plain = interned({})

local function copy(style)
  local new = {}
  for _, name in ipairs(ATTRIBUTES) do
    new[name] = style[name]
  end
  return new
end

--- Return the colour after 38, 48 or 58 at `i`, and the position of its last number.
local function extended(numbers, i)
  if numbers[i + 1] == 5 then
    return numbers[i + 2], i + 2
  elseif numbers[i + 1] == 2 then
    local r, g, b = numbers[i + 2] or 0, numbers[i + 3] or 0, numbers[i + 4] or 0
    if r < 256 and g < 256 and b < 256 then
      return ('#%02x%02x%02x'):format(r, g, b), i + 4
    end
    return nil, i + 4
  end
  return nil, i + 1
end

local function set_colour(style, n)
  if n >= 30 and n <= 37 then
    style.fg = n - 30
  elseif n >= 40 and n <= 47 then
    style.bg = n - 40
  elseif n >= 90 and n <= 97 then
    style.fg = n - 90 + 8
  elseif n >= 100 and n <= 107 then
    style.bg = n - 100 + 8
  end
end

--- Return the numbers of an SGR sequence. Colons separate like semicolons; the colour space that
--- the colon form may contain (38:2::r:g:b) is dropped.
local function numbers_of(parameters)
  parameters = parameters:gsub('([345]8):2:%d*:(%d+:%d+:%d+)', '%1:2:%2'):gsub('4:0', '24')
  parameters = parameters:gsub('^4:%d', '4'):gsub(';4:%d', ';4')
  local numbers = {}
  for number in (parameters .. ';'):gmatch('(%d*)[;:]') do
    numbers[#numbers + 1] = tonumber(number) or 0
  end
  return numbers
end

--- Return the style after the SGR sequence with these parameters ("1;38;5;208").
---@param style IgorStyle
---@param parameters string
function M.sgr(style, parameters)
  local numbers, new, i = numbers_of(parameters), copy(style), 1
  while i <= #numbers do
    local n = numbers[i]
    if n == 0 then
      new = {}
    elseif n == 4 or n == 21 then
      new.underline = true
    elseif n == 22 then
      new.bold, new.dim = nil, nil
    elseif n == 38 then
      new.fg, i = extended(numbers, i)
    elseif n == 48 then
      new.bg, i = extended(numbers, i)
    elseif n == 58 then
      i = select(2, extended(numbers, i))
    elseif SWITCHES[n] then
      new[SWITCHES[n][1]] = SWITCHES[n][2]
    else
      set_colour(new, n)
    end
    i = i + 1
  end
  return interned(new)
end

--- Return colour `n` of the 256 as '#rrggbb'.
local function rgb(n)
  if n < 16 then
    return vim.g['terminal_color_' .. n] or BASE[n]
  elseif n > 231 then
    local grey = 8 + (n - 232) * 10
    return ('#%02x%02x%02x'):format(grey, grey, grey)
  end
  local function level(x)
    return x == 0 and 0 or 55 + x * 40
  end
  n = n - 16
  return ('#%02x%02x%02x'):format(level(math.floor(n / 36)), level(math.floor(n / 6) % 6), level(n % 6))
end

--- Return the nearest colour of the 6×6×6 cube.
local function indexed(colour)
  local function step(digits)
    local value = tonumber(digits, 16)
    return value < 48 and 0 or value < 115 and 1 or math.floor((value - 35) / 40)
  end
  return 16 + 36 * step(colour:sub(2, 3)) + 6 * step(colour:sub(4, 5)) + step(colour:sub(6, 7))
end

local function both(colour)
  if type(colour) == 'number' then
    return colour < 256 and rgb(colour) or nil, colour < 256 and colour or nil
  elseif colour then
    return colour, indexed(colour)
  end
end

local function define(group)
  local style, cterm = group.style, {}
  local look = { cterm = cterm }
  look.fg, look.ctermfg = both(style.fg)
  look.bg, look.ctermbg = both(style.bg)
  for _, name in ipairs({ 'bold', 'italic', 'underline', 'reverse', 'strikethrough' }) do
    look[name], cterm[name] = style[name], style[name]
  end
  vim.api.nvim_set_hl(0, group.name, look)
end

local function fewer_colours(style)
  local new = copy(style)
  new.fg = type(new.fg) == 'string' and indexed(new.fg) or new.fg
  new.bg = type(new.bg) == 'string' and indexed(new.bg) or new.bg
  return interned(new)
end

--- Return the highlight group of a style, or nil for plain text.
---@param style IgorStyle
function M.group(style)
  if style == M.plain then
    return nil
  end
  if not groups[style.key] then
    if group_count >= MAX_GROUPS then
      style = fewer_colours(style)
    end
    if not groups[style.key] then
      group_count = group_count + 1
      groups[style.key] = { name = 'IgorAnsi' .. group_count, style = style }
      define(groups[style.key])
    end
  end
  return groups[style.key].name
end

--- Define the groups again, since colour schemes clear the groups that they don't know.
function M.redefine()
  for _, group in pairs(groups) do
    define(group)
  end
end

return M
