"""Ignore files of a hostile repository: never a hang, whatever patterns and names are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from igor_core.container import dockerignore
from igor_core.container.steps import Steps
from igor_core.worktree.gitignore import IgnorePattern, Patterns
from tests.fuzz import limits

# Docker's client reads "[[a]" as Python does, which would warn of it.
pytestmark = pytest.mark.filterwarnings("ignore:Possible:FutureWarning")

# A pattern, and a path that it doesn't name but for long seems to.
EXPLODING = {
    "stars": ("*a" * 20 + "b", "a" * 60),
    "as many stars as fit": ("*a" * 2000 + "b", "a" * 4000),
    "anchored stars": ("/" + "*a" * 20 + "b", "a" * 60),
    "folders": ("a/" + "**/b/" * 12 + "c", "a" + "/b" * 40),
    "nothing but folders": ("**/" * 30 + "c*", "/".join("a" * 60)),
    "folders and stars": ("**/*a*/" * 200 + "b", "a/" * 2000 + "a"),
    "any bytes": ("?*" * 2000 + "b", "a" * 4000),
    "sets": ("[!b]*" * 1000 + "b", "a" * 4000),
    "folders twice": ("**a**b", "a/" * 2000 + "a"),
    "a name and folders": ("*a**b", "a" * 200 + "/a" * 1800),
    "folders and no name": ("**a" * 1000 + "b", "a/" * 2000),
    "stars of a set": ("[a*]" * 1000 + "b", "a" * 4000),
}


@pytest.mark.parametrize(("pattern", "path"), EXPLODING.values(), ids=EXPLODING)
def test_no_pattern_of_a_repository_takes_for_ever(pattern: str, path: str) -> None:
    ask = (
        "import sys; pattern, path = sys.argv[1:]\n"
        "from igor_core.worktree.gitignore import Patterns\n"
        "from igor_core.container import dockerignore\n"
        "print(Patterns.read(pattern.encode()).decide(path.encode(), False))\n"
        "print(dockerignore.read(pattern).ignores(path))\n"
    )
    assert limits.run(ask, pattern, path) == b"None\nFalse\n"


@pytest.mark.parametrize("line", ["[" + "[:" * 1_000_000, "[" * 1_000_000, "*?" * 1_000_000])
def test_no_line_takes_for_ever_to_be_read(line: str) -> None:
    read = (
        "import sys; line = sys.stdin.read()\n"
        "from igor_core.worktree.gitignore import Patterns\n"
        "from igor_core.container import dockerignore\n"
        "print(Patterns.read(line.encode()).decide(b'a', False))\n"
        "try: dockerignore.read(line)\n"
        "except dockerignore.BadPattern as error: assert len(str(error)) < 200\n"
    )
    assert limits.run(read, stdin=line.encode()) == b"None\n"


def test_folders_may_be_as_deep_as_a_path_can_be() -> None:
    deep = "a/" * 2047 + "b"
    assert Patterns.read(b"a/b/\n").cover(deep.encode()) is False
    assert Patterns.read(b"a/a/a\n").cover(deep.encode()) is True
    assert dockerignore.read("a/b\n").ignores(deep) is False
    assert dockerignore.read("a/a/a\n").ignores(deep) is True


@pytest.mark.parametrize("path", ["/", "//", "/a", "//a//b", "a/", "."])
def test_a_path_that_no_tree_has_is_answered_too(path: str) -> None:
    assert dockerignore.read("b/c*d*e*f\n").ignores(path) is False
    assert Patterns.read(b"b/c*d*e*f\n").cover(path.encode()) is False


PIECES = ["*", "**", "**/", "/**/", "/**", "/", "a", "b", "ab", "?", "[ab]", "[!a]", "[/a]", "\\/",
          "\\*", "**\\/"]  # fmt: skip
some_pattern = some.lists(some.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
some_path = some.lists(
    some.sampled_from(["a", "b", "ab", "c", "a*"]), min_size=1, max_size=6
).map("/".join)  # fmt: skip


@given(pattern=some_pattern, path=some_path)
def test_a_star_that_keeps_its_first_place_finds_what_trying_all_finds(
    pattern: str, path: str
) -> None:
    """The expression with each look-ahead made an ordinary, greedy wildcard is the definition."""
    found = IgnorePattern.of(pattern.encode())
    if found is None:
        return
    quick = found.expression.pattern
    slow = re.sub(rb"\(\?=\(\?P<\w+>|\)\)\(\?P=\w+\)", b"", quick)
    slow = slow.replace(b"*?", b"*").replace(b")??", b")?")
    assert b"(?P" not in slow
    subject = path.encode().rpartition(b"/")[2] if found.by_name else path.encode()
    wanted = re.compile(slow, re.DOTALL).fullmatch(subject) is not None
    assert found.names(path.encode(), is_folder=True) == wanted


DOCKER_PIECES = [*PIECES, "[^a]", "[a*]", "[*]", "[^?]", "[**/", "\n", "-", "]", "\\]", "[a"]


@given(
    pattern=some.lists(some.sampled_from(DOCKER_PIECES), min_size=1, max_size=8).map("".join),
    path=some.lists(some.sampled_from(["a", "b", "/", "*", "]", "(", "\n"]), max_size=8).map(
        "".join
    ),
)
def test_steps_find_what_python_finds(pattern: str, path: str) -> None:
    try:
        expression = dockerignore.compile_pattern(pattern)
    except dockerignore.BadPattern:
        return
    if isinstance(expression, Steps):
        plain = re.compile(dockerignore.translate(pattern), re.ASCII)
        assert (expression.match(path) is None) == (plain.match(path) is None)


@given(content=some.binary(max_size=200), path=some.binary(min_size=1, max_size=50))
def test_any_bytes_are_a_gitignore(content: bytes, path: bytes) -> None:
    assert Patterns.read(content).cover(path) in (True, False)


@given(content=some.binary(max_size=200), path=some.text(min_size=1, max_size=50))
def test_any_bytes_are_a_dockerignore_or_a_mistake_in_it(content: bytes, path: str) -> None:
    try:
        rules = dockerignore.read(content.decode("utf-8", "surrogateescape"))
    except dockerignore.BadPattern:
        return
    assert rules.ignores(path) in (True, False)
