"""`make demo`: the main job against hosts of its own on this machine, in a temporary folder."""
