"""Whoever reads bytes of others: what broke one once, and what Hypothesis makes of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.fuzz.decoders import CHECKS

CORPUS = Path(__file__).parent / "corpus"
SEEDS = {name: [file.read_bytes() for file in sorted((CORPUS / name).iterdir())] for name in CHECKS}
KEPT = [file.relative_to(CORPUS) for file in sorted(CORPUS.glob("*/*"))]
# What has a meaning somewhere, in the middle of what it doesn't belong to.
SHARDS = [
    b"\0", b"\xff\xff\xff\xff", b"[", b"{", b'"', b"\n", b"\r\n", b"null", b"[]", b"{}", b"../",
    b"\x91" * 600, b"[" * 2000, "²".encode(), b"\x1b[", b"9" * 5000, b": ",
]  # fmt: skip

Check = Callable[[bytes], None]


@pytest.mark.parametrize("file", KEPT, ids=map(str, KEPT))
def test_what_is_kept_is_read_or_refused(file: Path) -> None:
    CHECKS[file.parts[0]]((CORPUS / file).read_bytes())


@some.composite
def changed(draw: some.DrawFn, seeds: list[bytes]) -> bytes:
    """A file of the corpus or several, with bytes changed, left out and put in."""
    data = bytearray(b"".join(draw(some.lists(some.sampled_from(seeds), min_size=1, max_size=3))))
    for _ in range(draw(some.integers(0, 4))):
        at = draw(some.integers(0, len(data)))
        left_out = draw(some.integers(0, 4))
        data[at : at + left_out] = draw(some.binary(max_size=4) | some.sampled_from(SHARDS))
    return bytes(data)


@pytest.mark.parametrize(("name", "check"), CHECKS.items(), ids=CHECKS)
@given(source=some.data())
def test_any_bytes_are_read_or_refused(name: str, check: Check, source: some.DataObject) -> None:
    check(source.draw(changed(SEEDS[name]) | some.binary(max_size=200)))
