"""The files from which editors' debuggers know a project's hosts."""
