"""Push by rsync, sh and GNU find, for hosts without python3."""
