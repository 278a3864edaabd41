"""Ask each expression of igor_core/output about the longest lines, made to be slow. A program."""

import importlib
import itertools
import pkgutil
import re
from collections.abc import Iterator

from igor_core import output
from igor_core.output.line_splitter import LONGEST_LINE

# What the expressions look for.
UNITS = [
    "a", " ", "  ", ":", "1", '"', "'", "(", ")", "[", "]", "_", "-", "/", ".", "| ", ", ", "\t",
    "a:1", ": ", " at ", "' panicked at '", " - ", "::", ".a", " in ", "=", "#1 ", "\x1b[", "²",
]  # fmt: skip
BEGINS = [
    "", 'File "', "thread '", "   at ", "FAILED a.py", "make: *** [", "___ ", "a:1: ", "#1 0.1 ",
    "  #1 0x1 in a ", "[a] ",
]  # fmt: skip


def expressions() -> Iterator[re.Pattern[str] | re.Pattern[bytes]]:
    for module in pkgutil.walk_packages(output.__path__, f"{output.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            for found in value if isinstance(value, tuple) else (value,):
                if isinstance(found, re.Pattern):
                    yield found


def main() -> None:
    known = list(expressions())
    for begin, one, two in itertools.product(BEGINS, UNITS, UNITS):
        line = (begin + (one + two) * LONGEST_LINE)[: LONGEST_LINE - 1] + "!"
        for expression in known:
            expression.match(line if isinstance(expression.pattern, str) else line.encode())
    print(len(known))
