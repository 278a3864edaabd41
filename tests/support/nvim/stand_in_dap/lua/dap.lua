-- A stand-in for nvim-dap, for where it is not at hand: the names that igor and its tests use, and the
-- Debug Adapter Protocol in nvim-dap's order. One thread, one breakpoint a line, no children.
local uv = vim.uv

local M = { adapters = {}, ABORT = {}, providers = { configs = {} } }
M.listeners = {
  on_config = {},
  before = { setExceptionBreakpoints = {} },
  after = { configurationDone = {} },
}

local sessions, current = {}, nil
local breakpoints = {} -- buffer → lines

local Session = {}
Session.__index = Session

function Session:send(message)
  self.sequence = self.sequence + 1
  message.seq = self.sequence
  local text = vim.json.encode(message)
  self.socket:write(('Content-Length: %d\r\n\r\n%s'):format(#text, text))
  return self.sequence
end

function Session:request(command, arguments, done)
  local number = self:send({ type = 'request', command = command, arguments = arguments })
  self.waiting[number] = done
end

function Session:evaluate(arguments, done)
  arguments.frameId = self.current_frame.id
  self:request('evaluate', arguments, done)
end

function Session:close()
  if not self.closed then
    self.closed = true
    self.socket:close()
    sessions[self.id] = nil
    current = nil
    for _, told in pairs(self.on_close) do
      told(self)
    end
  end
end

function Session:begin()
  local who = { adapterID = 'nvim-dap', clientID = 'neovim', pathFormat = 'path', linesStartAt1 = true }
  self:request('initialize', who, function()
    self:request('attach', self.config, function(err)
      if err then
        vim.notify(err.message)
        self:close()
      end
    end)
  end)
end

local on = {}

function on.initialized(self)
  for buf, lines in pairs(breakpoints) do
    local wanted = vim.tbl_map(function(line)
      return { line = line }
    end, lines)
    local source = { path = vim.api.nvim_buf_get_name(buf) }
    self:request('setBreakpoints', { source = source, breakpoints = wanted })
  end
  self:request('setExceptionBreakpoints', { filters = { 'uncaught' } }, function()
    for _, told in pairs(M.listeners.before.setExceptionBreakpoints) do
      told(self)
    end
    self:request('configurationDone', vim.empty_dict(), function()
      for _, told in pairs(M.listeners.after.configurationDone) do
        told(self)
      end
    end)
  end)
end

function on.stopped(self, body)
  self:request('stackTrace', { threadId = body.threadId }, function(_, found)
    local frame = found.stackFrames[1]
    vim.cmd.edit(vim.fn.fnameescape(frame.source.path))
    vim.api.nvim_win_set_cursor(0, { frame.line, 0 })
    self.stopped_thread_id, self.current_frame = body.threadId, frame
  end)
end

function on.terminated(self)
  self:close()
end

function Session:take(message)
  if self.closed then
    return
  elseif message.type == 'event' and on[message.event] then
    on[message.event](self, message.body)
  elseif message.type == 'response' then
    local done = self.waiting[message.request_seq]
    if done then
      done(not message.success and { message = message.message } or nil, message.body)
    end
  end
end

function Session:read(data)
  self.buffer = self.buffer .. data
  while true do
    local head, size = self.buffer:match('^(Content%-Length: (%d+)\r\n\r\n)')
    if not head or #self.buffer < #head + tonumber(size) then
      return
    end
    local message = vim.json.decode(self.buffer:sub(#head + 1, #head + size))
    self.buffer = self.buffer:sub(#head + size + 1)
    vim.schedule(function()
      self:take(message)
    end)
  end
end

local function connect(adapter, config)
  local self = setmetatable({ id = #vim.tbl_keys(sessions) + 1, config = config }, Session)
  self.on_close, self.waiting, self.sequence, self.buffer = {}, {}, 0, ''
  self.socket = assert(uv.new_tcp())
  sessions[self.id], current = self, self
  self.socket:connect(adapter.host, adapter.port, vim.schedule_wrap(function(err)
    if err then
      vim.notify("Couldn't connect: " .. err)
      return self:close()
    end
    self.socket:read_start(vim.schedule_wrap(function(_, data)
      if data then
        self:read(data)
      else
        self:close()
      end
    end))
    self:begin()
  end))
end

function M.run(config)
  coroutine.wrap(function()
    for _, prepare in pairs(M.listeners.on_config) do
      config = prepare(config)
    end
    for _, value in pairs(config) do
      if value == M.ABORT then
        return vim.notify('Run aborted')
      end
    end
    M.adapters[config.type](function(adapter)
      connect(adapter, config)
    end, config)
  end)()
end

function M.sessions()
  return sessions
end

function M.session()
  return current
end

function M.set_breakpoint()
  local buf = vim.api.nvim_get_current_buf()
  breakpoints[buf] = breakpoints[buf] or {}
  table.insert(breakpoints[buf], vim.api.nvim_win_get_cursor(0)[1])
end

local function go(command)
  local thread = current.stopped_thread_id
  current.stopped_thread_id = nil
  current:request(command, { threadId = thread })
end

--- Go on, or choose what to debug.
function M.continue()
  if current then
    return go('continue')
  end
  local all = {}
  for _, provide in pairs(M.providers.configs) do
    vim.list_extend(all, provide(vim.api.nvim_get_current_buf()))
  end
  local function name(config)
    return config.name
  end
  vim.ui.select(all, { prompt = 'Configuration:', format_item = name }, function(config)
    if config then
      M.run(config)
    end
  end)
end

function M.terminate()
  local its = current
  its:request('disconnect', { terminateDebuggee = true }, function()
    its:close()
  end)
end

return M
