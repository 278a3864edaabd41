-- Encode and decode the frames of the agent's socket. igor_core/agent/protocol.py defines them: a
-- length of 32 bits, big-endian, and that many bytes of msgpack. Like all code that talks to the
-- agent, this file calls no Neovim function that is forbidden in a libuv callback.
local M = {}

--- The protocol version of this file.
M.PROTOCOL = 1

-- A longer length means that the data is no frame: the agent does not send longer ones.
local MAX_FRAME = 16 * 1024 * 1024

local HELLO, REQUEST, CANCEL, SAVE = 0, 3, 6, 15
local KINDS = { [1] = 'welcome', [2] = 'refused', [4] = 'event', [5] = 'finished' }

local pack, unpack_body = vim.mpack.encode, vim.mpack.decode

local function framed(body)
  local size = #body
  local function byte(shift)
    return math.floor(size / 2 ^ shift) % 256
  end
  return string.char(byte(24), byte(16), byte(8), byte(0)) .. body
end

--- Return the first frame of a connection; `client` identifies the editor.
---@param version string
---@param client table
function M.hello(version, client)
  return framed(pack({ HELLO, 0, M.PROTOCOL, version, client }))
end

---@param request integer
---@param verb string
---@param root string
---@param args table
function M.request(request, verb, root, args)
  -- Without this, msgpack would encode an empty table as a list.
  args = next(args) and args or vim.empty_dict()
  return framed(pack({ REQUEST, request, verb, root, args }))
end

---@param request integer
function M.cancel(request)
  return framed(pack({ CANCEL, request }))
end

--- Return the frame that reports written or deleted files of the project `root`. An empty list
--- means that any file may have changed.
---@param root string
---@param paths string[]  relative to `root`
function M.save(root, paths)
  return framed(pack({ SAVE, 0, root, paths }))
end

---@class IgorDecoder
local Decoder = {}
Decoder.__index = Decoder

--- Return a decoder that cuts the bytes read from the socket into frames.
---@return IgorDecoder
function M.decoder()
  return setmetatable({ chunks = {}, size = 0, wanted = 4 }, Decoder)
end

--- Remove the first `count` buffered bytes and return them.
---@param count integer
function Decoder:take(count)
  local whole = table.concat(self.chunks)
  local rest = whole:sub(count + 1)
  self.chunks, self.size = { rest }, #rest
  return whole:sub(1, count)
end

--- Buffer `data` and call on_frame(kind, id, field…) for each frame that it completes. Skip frames
--- that are not meant for a client. Throw an error if the data is not a frame.
---@param data string
---@param on_frame fun(kind: string, ...)
function Decoder:feed(data, on_frame)
  self.chunks[#self.chunks + 1] = data
  self.size = self.size + #data
  while self.size >= self.wanted do
    if not self.body then
      local a, b, c, d = self:take(4):byte(1, 4)
      self.body, self.wanted = true, ((a * 256 + b) * 256 + c) * 256 + d
      assert(self.wanted <= MAX_FRAME, 'a frame is too long')
    else
      local frame = unpack_body(self:take(self.wanted))
      self.body, self.wanted = nil, 4
      assert(type(frame) == 'table' and type(frame[2]) == 'number', 'not a frame')
      local kind = KINDS[frame[1]]
      if kind then
        on_frame(kind, unpack(frame, 2))
      end
    end
  end
end

return M
