"""A stand-in for Vimspector's package."""
