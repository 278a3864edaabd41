command! VimspectorReset call vimspector#Reset( { 'interactive': v:true } )
