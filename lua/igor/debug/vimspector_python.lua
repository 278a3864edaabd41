-- Python code to run in Vimspector, for what its functions don't offer.
local M = {}

-- Vimspector has one list of thread requests for all sessions, so answers reach the wrong ones.
M.own_requests = [[
from vimspector import stack_trace as _igor_stack_trace
if ( "pending_thread_requests" in vars( _igor_stack_trace.Session )
     and not hasattr( _igor_stack_trace.Session, "igor_own_requests" ) ):
  def _igor_own_requests( orig ):
    def __init__( self, *args, **kwargs ):
      orig( self, *args, **kwargs )
      self.pending_thread_requests = []
    return __init__
  _igor_stack_trace.Session.__init__ = _igor_own_requests( _igor_stack_trace.Session.__init__ )
  _igor_stack_trace.Session.igor_own_requests = True
]]

M.copy_breakpoints = [[
_vimspector_session._breakpoints.Load( __import__( "copy" ).deepcopy(
  _vimspector_session_man.GetSession( %d )._breakpoints.Save() ) )
]]

-- Vimspector's own restart would attach to a program that has ended.
M.restart = [[
def _igor_restarts( session ):
  def restart():
    adapter = ( session._configuration or {} ).get( "adapter" )
    if isinstance( adapter, str ) and adapter.startswith( "igor: " ):
      __import__( "vim" ).command( "lua require( 'igor.debug.vimspector' ).restart()" )
    else:
      type( session ).Restart( session )
  session.Restart = restart
_igor_restarts( _vimspector_session )
]]

-- The state of a session's connection and windows: "lost", "up", "attaching" or "none".
M.state = [[(lambda s: "none" if s is None else "up" if s._init_complete else "attaching"
 if s._connection else "lost" if s.HasUI() else "none")(_vimspector_session_man.GetSession( %d ))]]

return M
