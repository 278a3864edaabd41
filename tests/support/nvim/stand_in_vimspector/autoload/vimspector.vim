" A stand-in for Vimspector, for where it is not at hand: the functions and Python names that igor and
" its tests use. It connects and opens its windows as Vimspector does, and says nothing on the wire.
" With g:stand_in_hangs it never gets beyond the connection. What it was asked to launch is in
" g:stand_in_launched.

let g:stand_in_launched = []

py3 << EOF
import vim

class _StandInBreakpoints:
  def __init__( self ):
    self.line = {}
  def Save( self ):
    return { 'line': self.line }
  def Load( self, saved ):
    self.line = saved[ 'line' ]

class _StandInSession:
  def __init__( self, number, name ):
    self.session_id, self.name = number, name
    self._connection, self._init_complete, self.tab = None, False, None
    self._breakpoints = _StandInBreakpoints()
  def HasUI( self ):
    return self.tab is not None and self.tab.valid

class _StandInManager:
  def __init__( self ):
    self.sessions, self.next = {}, 0
  def New( self, name = None ):
    self.sessions[ self.next ] = _StandInSession( self.next, name )
    self.next += 1
    return self.sessions[ self.next - 1 ]
  def GetSession( self, number ):
    return self.sessions.get( int( number ) )

_vimspector_session_man = _StandInManager()
_vimspector_session = _vimspector_session_man.New()

def _stand_in_switch( number ):
  global _vimspector_session
  _vimspector_session = _vimspector_session_man.GetSession( number )
  if _vimspector_session.HasUI():
    vim.current.tabpage = _vimspector_session.tab

def _stand_in_closed( number ):
  s = _vimspector_session_man.GetSession( number )
  if s:
    s._connection, s._init_complete = None, False

def _stand_in_launch( port ):
  s = _vimspector_session
  if not s.HasUI():
    vim.command( '$tab split' )
    s.tab = vim.current.tabpage
    code = vim.call( 'win_getid' )
    vim.command( 'belowright new' )
    vim.vars[ 'vimspector_session_windows' ] = { 'code': code, 'output': vim.call( 'win_getid' ) }
    vim.command( 'wincmd p' )
  s._connection = vim.call( 'StandInConnect', s.session_id, port )
  s._init_complete = not vim.vars.get( 'stand_in_hangs', 0 )

def _stand_in_reset():
  s = _vimspector_session
  if s._connection:
    vim.call( 'chanclose', s._connection )
  _stand_in_closed( s.session_id )
  if s.HasUI():
    vim.current.tabpage = s.tab
    vim.command( 'tabclose!' )
  s.tab = None
  vim.command( 'doautocmd <nomodeline> User VimspectorDebugEnded' )

def _stand_in_destroy( name ):
  man = _vimspector_session_man
  for number in [ n for n, s in man.sessions.items() if s.name == name ]:
    del man.sessions[ number ]
  _stand_in_switch( min( man.sessions ) )
EOF

function! s:OnData( id, channel, data, event ) abort
  if a:data == [ '' ]
    py3 _stand_in_closed( int( vim.eval( 'a:id' ) ) )
  endif
endfunction

function! StandInConnect( id, port ) abort
  return sockconnect( 'tcp', '127.0.0.1:' . a:port, { 'on_data': funcref( 's:OnData', [ a:id ] ) } )
endfunction

function! vimspector#Launch() abort
endfunction

function! vimspector#GetConfigurations() abort
  if filereadable( '.vimspector.json' )
    call json_decode( readfile( '.vimspector.json' ) )
  endif
  return keys( get( g:, 'vimspector_configurations', {} ) )
endfunction

function! vimspector#LaunchWithSettings( settings ) abort
  let configuration = g:vimspector_configurations[ a:settings.configuration ]
  let adapter = g:vimspector_adapters[ configuration.adapter ]
  let g:stand_in_launched += [ [ a:settings.configuration, configuration, adapter, expand( '%:p' ) ] ]
  call py3eval( '_stand_in_launch( ' . adapter.port . ' )' )
endfunction

function! vimspector#Reset( options ) abort
  py3 _stand_in_reset()
endfunction

function! vimspector#ResetExceptionBreakpoints() abort
endfunction

function! vimspector#SetLineBreakpoint( file, line ) abort
  py3 _vimspector_session._breakpoints.line.setdefault( vim.eval( 'a:file' ), [] ).append( vim.eval( 'a:line' ) )
endfunction

function! vimspector#NewSession( name ) abort
  py3 _vimspector_session = _vimspector_session_man.New( vim.eval( 'a:name' ) )
endfunction

function! vimspector#DestroySession( name ) abort
  py3 _stand_in_destroy( vim.eval( 'a:name' ) )
endfunction

function! vimspector#GetSessionID() abort
  return py3eval( '_vimspector_session.session_id' )
endfunction

function! vimspector#GetSessionName() abort
  return py3eval( '_vimspector_session.name or "Unnamed-0"' )
endfunction

function! vimspector#RenameSession( name ) abort
  py3 _vimspector_session.name = vim.eval( 'a:name' )
endfunction
