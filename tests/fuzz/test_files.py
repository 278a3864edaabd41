"""Files that a repository or an accident may have changed: read, or refused in one sentence."""

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from igor_core import directories
from igor_core.agent import protocol
from igor_core.config import Config, Project
from igor_core.errors import IgorError
from igor_core.trust import is_trusted, revoke, trust
from tests.fuzz import limits

some_json = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


ticks = itertools.count(1)


def store() -> Path:
    """Where the agent remembers what is trusted; nothing is there."""
    file = directories.state_directory() / "trust.json"
    file.unlink(missing_ok=True)
    return file


def write(file: Path, content: bytes) -> None:
    """As another file than before, also where the clock has not moved on."""
    file.write_bytes(content)
    os.utime(file, ns=(0, next(ticks)))


def project(root: str) -> Project:
    return Project(Path(root), Config(host_groups={}), "digest")


NO_STORE = [b"[]", b"null", b"1", b'"x"', b"true", b"[" * 100_000, b"{", b"", b"\xff", b"9" * 5000]


@pytest.mark.parametrize("content", NO_STORE, ids=range(len(NO_STORE)))
def test_a_trust_file_that_is_none_is_named(content: bytes) -> None:
    file = store()
    write(file, content)
    for ask in (is_trusted, trust, revoke):
        with pytest.raises(IgorError, match=r"trust\.json can't be read"):
            ask(project("/p"))
    assert file.read_bytes() == content


def test_a_folder_in_the_place_of_the_trust_file_is_named() -> None:
    store().mkdir()
    with pytest.raises(IgorError, match=r"trust\.json can't be read"):
        is_trusted(project("/p"))


@given(content=some_json | some.dictionaries(some.just("/p"), some_json | some.just("digest")))
def test_nothing_but_the_digest_is_trust(content: object) -> None:
    write(store(), json.dumps(content).encode())
    try:
        trusted = is_trusted(project("/p"))
    except IgorError:
        trusted = False
    listed = content.get("/p") if isinstance(content, dict) else None
    assert trusted <= (isinstance(listed, list) and "digest" in listed)


@given(root=some.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name))
def test_any_folder_can_be_trusted(root: bytes) -> None:
    file = store()
    asked = project(os.fsdecode(b"/" + root))
    trust(asked)
    os.utime(file, ns=(0, next(ticks)))
    assert is_trusted(asked)
    assert revoke(asked)
    os.utime(file, ns=(0, next(ticks)))
    assert not is_trusted(asked)


some_field = {
    int: some.integers(-(1 << 63), (1 << 64) - 1),
    str: some.binary(max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape")),
    bytes: some.binary(max_size=50),
    bool: some.booleans(),
    list: some.lists(some.binary(max_size=9) | some.text(max_size=9), max_size=3),
    dict: some.dictionaries(some.text(max_size=5), some.integers(0, 9) | some.none(), max_size=3),
    (str, type(None)): some.none() | some.text(max_size=9),
}


@given(source=some.data())
def test_what_is_packed_is_what_is_unpacked(source: some.DataObject) -> None:
    kind = source.draw(some.sampled_from(protocol.Kind))
    fields = [source.draw(some_field[wanted]) for wanted in protocol.FIELDS[kind]]
    data = protocol.encode(kind, 7, *fields)
    assert list(protocol.Decoder().feed(data)) == [[kind, 7, *fields]]


OPEN = ["/*", '\\"', "//", '{"a":"', '"\n']


@pytest.mark.parametrize("unit", OPEN, ids=range(len(OPEN)))
def test_an_editors_file_of_a_repository_takes_no_time(unit: str) -> None:
    code = (
        "import sys\n"
        "from igor_core.debug.editors.json_edit import CannotEdit, check\n"
        "try: check(sys.stdin.read())\n"
        "except CannotEdit: print('refused')\n"
    )
    begin = b'"' if unit == OPEN[1] else b""
    assert limits.run(code, stdin=begin + unit.encode() * 400_000) == b"refused\n"


def test_no_line_of_output_takes_time_that_grows_with_its_square() -> None:
    code = "from tests.fuzz import every_expression; every_expression.main()"
    assert int(limits.run(code, seconds=60)) >= 50
