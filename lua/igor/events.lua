---@meta
-- Events and outcomes as they arrive from the agent (igor_core/events.py) and from the bridge. Types
-- only: no code requires this file.

---@alias IgorResultKind 'done'|'exited'|'ended'|'differs'|'cancelled'|'failed'

---@class IgorStartedEvent  from the bridge: a job has started
---@field type 'started'
---@field verb string
---@field root string  root of the project
---@field args table  arguments of the verb

---@class IgorAcceptedEvent
---@field type 'accepted'
---@field job integer  the number that :IgorCancel takes
---@field verb string

---@class IgorStepEvent
---@field type 'step'
---@field host string  '' if it is about the whole job
---@field text string

---@class IgorWarningEvent
---@field type 'warning'
---@field host string
---@field text string
---@field hint string  '' if there is none

---@class IgorOutputEvent
---@field type 'output'
---@field host string
---@field stream 'stdout'|'stderr'
---@field data string

---@class IgorProgressEvent
---@field type 'progress'
---@field host string
---@field label string
---@field done integer
---@field total integer  0 if unknown
---@field unit string
---@field rate number  units a second

---@class IgorPromptEvent
---@field type 'prompt'
---@field prompt integer  number of the question
---@field host string
---@field text string
---@field echo boolean

---@class IgorResult
---@field type 'result'
---@field host string
---@field kind IgorResultKind
---@field status integer  exit status
---@field seconds number
---@field text string
---@field hint string
---@field ok boolean

---@class IgorHostFreshness
---@field host string
---@field state string  'fresh', 'syncing', 'stale', 'offline', 'needs login' or 'not connected'
---@field pending integer  paths
---@field since number|nil  Unix time
---@field held_back string[]  paths
---@field error string

---@class IgorFreshnessEvent
---@field type 'freshness'
---@field group string
---@field trusted boolean
---@field push_on_write boolean
---@field hosts IgorHostFreshness[]
---@field error string

---@class IgorInputEvent  from the bridge: the input of a program was opened or closed
---@field type 'opened'|'closed'
---@field stream integer
---@field host string  when opened

---@class IgorLostEvent  from the bridge: the connection to the agent has ended
---@field type 'lost'
---@field error string
---@field hint string

---@class IgorOutcome
---@field type string  'finished' or 'lost', in a batch from the bridge
---@field status integer  exit status
---@field error string
---@field hint string
---@field results IgorResult[]
---@field data any
---@field places IgorPlace[]
---@field dropped integer  number of further places

---@class IgorPlace  an entry for the quickfix list
---@field name string  absolute path or igor:// address
---@field line integer  0 if unknown
---@field column integer
---@field symbol string
---@field text string
---@field kind string  as 'type' of |setqflist()|
---@field library boolean  not in the project
---@field count integer
---@field hosts string[]
---@field ranks string[]
