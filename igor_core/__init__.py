"""igor: edit here, run there. The core knows no editor; front ends talk to its agent."""

__version__ = "0.1.0"
