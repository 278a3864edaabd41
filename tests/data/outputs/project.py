"""The sample project: the files of project.txt."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def files() -> dict[str, str]:
    """Text of each file by its path in the tree."""
    text = (HERE / "project.txt").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\S+) --\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def write(folder: Path) -> None:
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
