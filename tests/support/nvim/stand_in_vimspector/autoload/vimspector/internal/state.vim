function! vimspector#internal#state#SwitchToSession( id ) abort
  py3 _stand_in_switch( int( vim.eval( 'a:id' ) ) )
endfunction
