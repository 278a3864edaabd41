"""`make demo`: igor's main job with SSH servers on the local machine, in a temporary folder."""
