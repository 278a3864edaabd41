"""Trees to push: the same bytes on every machine and in every run."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: The file of 10 kB that is saved again and again; each corpus has it.
SAVED = "src/saved.py"
SAVED_BYTES = 10_000
#: The file in which one line is changed, where a corpus has it.
LARGE = "data/large.csv"
LARGE_BYTES = 5_000_000

FILES_IN_FOLDER = 20
FOLDERS_IN_FOLDER = 10
_LINE = 64


@dataclass(frozen=True)
class Corpus:
    """`files` files of `size` bytes altogether, the saved file among them."""

    name: str
    files: int
    size: int
    has_large: bool = False

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Each path with its bytes."""
        generator = random.Random(self.name)
        yield SAVED, _text(generator, SAVED_BYTES)
        if self.has_large:
            yield LARGE, _text(generator, LARGE_BYTES)
        sizes = self._sizes(generator)
        for number, size in enumerate(sizes):
            yield path_of(number), _text(generator, size)

    def _sizes(self, generator: random.Random) -> list[int]:
        """Many small and few large ones, as in a project; their sum is exact."""
        special = SAVED_BYTES + (LARGE_BYTES if self.has_large else 0)
        weights = [generator.lognormvariate(0, 1) for _ in range(self.files - 1 - self.has_large)]
        scale = (self.size - special) / sum(weights)
        sizes = [int(weight * scale) for weight in weights]
        sizes[-1] += self.size - special - sum(sizes)
        return sizes


CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus("files-30", 30, 300_000),
        Corpus("files-600", 600, 8_000_000),
        Corpus("files-20000", 20_000, 400_000_000),
        Corpus("large-file", 31, 300_000 + LARGE_BYTES, has_large=True),
    )
}


def path_of(number: int) -> str:
    """Where the file of that number is: folders of 20 files, ten folders in each."""
    folder = number // FILES_IN_FOLDER
    outer, inner = divmod(folder, FOLDERS_IN_FOLDER)
    return f"part_{outer:03}/pkg_{inner}/file_{number:05}.py"


def _text(generator: random.Random, size: int) -> bytes:
    """Lines of hexadecimal digits: as compressible as numbers in a table are."""
    digits = generator.randbytes(size // 2 + _LINE).hex().encode()
    width = _LINE - 1
    lines = (digits[at : at + width] for at in range(0, len(digits), width))
    return b"\n".join(lines)[: size - 1] + b"\n" if size else b""


def write(corpus: Corpus, root: Path) -> None:
    """Write the tree into a new folder and make it a git repository, all files in its index."""
    made: set[Path] = set()
    for name, content in corpus.contents():
        path = root / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(content)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)
