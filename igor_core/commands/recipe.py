"""Finding the function that a row of the table names, and importing it when it is first used."""

from importlib import import_module
from typing import Any


def load(reference: str) -> Any:
    """The function of "module:function"."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
