"""Folders with and without git, and odd names in them."""

import os
import subprocess
from pathlib import Path

ODD_NAMES = [
    b"sp ace", b"new\nline", b"-dash", b"--", b"#hash", b";semi", b"\xff\xfe", b"quote'\"",
    b"$(touch x)", b"tab\t", b"back\\slash", b" lead", b"trail ", b"*", b"[a]", b"\xc3\xb6",
    b"~", b":c", b"!x",
]  # fmt: skip


def git(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
    return done.stdout


def write(root: Path, name: str | bytes, text: str = "x") -> Path:
    path = Path(os.fsdecode(os.path.join(os.fsencode(root), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
