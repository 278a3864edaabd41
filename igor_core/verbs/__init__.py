"""The recipes of the verbs, one module each; igor_core/commands lists them."""
