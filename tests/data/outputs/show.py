"""Entries as rows of expected.txt, and that table.

    python3 -m tests.data.outputs.show [NAME…]    # what the outputs give now

A row: the kind (a "-" before it: a library's, which :cnext skips), the place, "x" and how often
and by whom where more than once or by a rank, and the text.
"""

import re
import sys
from collections.abc import Iterator

from igor_core.output import OutputParser, QuickfixEntry, SourceTree
from tests.data.outputs import project
from tests.data.outputs.cases import CASES, Case

LOCAL = "/local/sample"
REMOTE = ("/workspace", "/home/dino/data2/dev_dsk/sample")
HOSTS = ("apollo", "enterprise")


def trees(case: Case) -> dict[str, SourceTree]:
    files = project.files()
    folder = case.folder
    for root in REMOTE:
        folder = folder.removeprefix(root)
    tree = SourceTree.of(
        LOCAL, REMOTE, files, working=folder.strip("/"),
        dockerfile=case.dockerfile, dockerfile_text=files.get(case.dockerfile, ""),
    )  # fmt: skip
    return dict.fromkeys(HOSTS, tree)


def output(case: Case) -> bytes:
    return (project.HERE / f"{case.name}.out").read_bytes()


def entries(case: Case) -> list[QuickfixEntry]:
    places = OutputParser(trees(case))
    places.feed("apollo", "stdout", output(case))
    return places.finish()


def row(entry: QuickfixEntry) -> str:
    place = entry.name.removeprefix(f"{LOCAL}/")
    place += f" /{entry.symbol}/" if entry.symbol else f":{entry.line}"
    place += f":{entry.column}" if entry.column else ""
    who = [*entry.ranks, *(host for host in entry.hosts if entry.hosts != ("apollo",))]
    times = f"x{entry.count} " if entry.count > 1 or who else ""
    times += f"({', '.join(who)}) " if who else ""
    return f"{'-' if entry.library else ' '}{entry.kind} {place}  {times}{entry.text}".rstrip()


def rows(case: Case) -> list[str]:
    return [row(entry) for entry in entries(case)]


def expected() -> Iterator[tuple[str, list[str]]]:
    """Each output's name and its rows."""
    text = (project.HERE / "expected.txt").read_text(encoding="utf-8")
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, *lines = part.rstrip("\n").split("\n")
        yield name, [line for line in lines if line]


if __name__ == "__main__":
    for case in CASES:
        if not sys.argv[1:] or case.name in sys.argv[1:]:
            print(f"== {case.name}", *rows(case), "", sep="\n")
