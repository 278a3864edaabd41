-- One connection to the agent's socket: frames in, bytes out.
local frames = require('igor.client.frames')

---@class IgorLinkHandlers
---@field on_open fun()
---@field on_frame fun(kind: string, id: integer, ...)
---@field on_end fun(why: 'absent'|'lost'|'nonsense')

---@class IgorLink
---@field writing integer  number of unfinished writes
---@field connected boolean
local Link = {}
Link.__index = Link

--- Connect to the socket `path`. In libuv callbacks, it calls on_open(), on_frame(kind, id,
--- field…), and once on_end(why): "absent" if nobody listens, "lost" if the peer closed the
--- connection, "nonsense" if its data can't be decoded.
---@param path string
---@param handlers IgorLinkHandlers
---@return IgorLink
function Link.open(path, handlers)
  local self = setmetatable({ handlers = handlers, writing = 0, connected = false }, Link)
  self.pipe = vim.uv.new_pipe(false)
  self.decoder = frames.decoder()
  self.pipe:connect(path, function(err)
    if err then
      return self:ended('absent')
    elseif self.pipe:is_closing() then
      return
    end
    self.connected = true
    self.pipe:read_start(function(...)
      self:received(...)
    end)
    handlers.on_open()
  end)
  return self
end

---@param err string|nil
---@param data string|nil
function Link:received(err, data)
  if err or not data then
    return self:ended('lost')
  end
  local understood = pcall(self.decoder.feed, self.decoder, data, function(...)
    if not self.pipe:is_closing() then
      self.handlers.on_frame(...)
    end
  end)
  if not understood then
    self:ended('nonsense')
  end
end

--- Send `text`. As much as fits into the socket's buffer is sent before this returns.
---@param text string
function Link:write(text)
  if text ~= '' then
    self.writing = self.writing + 1
    self.pipe:write(text, function(err)
      self.writing = self.writing - 1
      if err then
        self:ended('lost')
      end
    end)
  end
end

function Link:close()
  if not self.pipe:is_closing() then
    self.pipe:close()
  end
end

---@param why 'absent'|'lost'|'nonsense'
function Link:ended(why)
  if not self.pipe:is_closing() then
    self.pipe:close()
    self.handlers.on_end(why)
  end
end

return Link
