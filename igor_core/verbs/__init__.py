"""The recipes of the verbs, one module each, which read aloud; igor_core/commands names them."""
