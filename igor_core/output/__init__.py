"""Find source locations in a program's output: tracebacks, diagnostics, failed tests and builds
become entries of a quickfix list, with remote paths as local files.

    parser = OutputParser({"apollo": SourceTree.of("/home/me/project", ["/workspace"], files)})
    parser.feed("apollo", "stderr", data)    # as often as data comes, cut anywhere
    entries = parser.finish()

From the bytes to the list:

    parser         the output of all hosts; `prefilter` skips the lines that hold no location
    line_splitter  bytes into lines
    prefix         "[rank0]: ", "web-1 | ": which speaker a line is from
    speaker        the lines of one speaker, offered to each reader in `formats`
    formats/       one file a format; each makes ErrorReports (`report`)
    source_tree    remote paths into SourceLocations
    merge          ErrorReports into QuickfixEntries (`entry`), equal ones counted

`location_at` (`cursor`) does the same for one line and a cursor (`gf`).
"""

from igor_core.output.cursor import CursorTarget, location_at
from igor_core.output.entry import QuickfixEntry
from igor_core.output.parser import OutputParser
from igor_core.output.source_tree import SourceLocation, SourceTree, address, is_address

__all__ = [
    "CursorTarget",
    "OutputParser",
    "QuickfixEntry",
    "SourceLocation",
    "SourceTree",
    "address",
    "is_address",
    "location_at",
]
