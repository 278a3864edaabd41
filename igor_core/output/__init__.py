"""From a program's output to places: tracebacks, diagnostics, failed tests and builds as entries
of a quickfix list, with remote paths as local files.

    places = Places({"apollo": Tree.of("/home/me/project", ["/workspace"], files)})
    places.feed("apollo", "stderr", data)    # as often as data comes, cut anywhere
    entries = places.finish()

`place_under` is the same for one line and a cursor (`gf`).
"""

from igor_core.output.collect import Places
from igor_core.output.cursor import Target, place_under
from igor_core.output.entry import Entry
from igor_core.output.tree import SourceLocation, Tree, address, is_address

__all__ = [
    "Entry",
    "Places",
    "SourceLocation",
    "Target",
    "Tree",
    "address",
    "is_address",
    "place_under",
]
