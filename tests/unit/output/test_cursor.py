"""What `gf` opens: the path at the cursor in a line of output."""

import pytest

from igor_core.output import CursorTarget, SourceTree, location_at

FILES = ["train.py", "pkg/model.py", "Makefile", "sub/a b.py", "c/main.c"]
TREE = SourceTree.of("/local", ["/workspace", "/home/me/project"], FILES)
TREES = {"apollo": TREE, "enterprise": TREE}

# A line with "^" before the cursor's character, and what is opened there.
LINES = [
    ('  File "^/workspace/pkg/model.py", line 8, in f', "/local/pkg/model.py", 8, 0),
    ('^  File "/workspace/pkg/model.py", line 8, in f', "/local/pkg/model.py", 8, 0),
    ('  File "/workspace/pkg/model.py", line ^8, in f', "/local/pkg/model.py", 8, 0),
    ('  File "/workspace/pkg/model.py", line 8, ^in f', "", 0, 0),
    ('  File "/workspace/sub/a^ b.py", line 8', "/local/sub/a b.py", 8, 0),
    ('  File "/^opt/python/lib/json/decoder.py", line 353 in g',
     "igor://apollo/opt/python/lib/json/decoder.py", 353, 0),
    ("see ^train.py:3 and pkg/model.py:4:5.", "/local/train.py", 3, 0),
    ("see train.py:3 ^and pkg/model.py:4:5.", "/local/pkg/model.py", 4, 5),
    ("it's ^in train.py, isn't it", "/local/train.py", 0, 0),
    ("c/main.c(^3,4): error", "/local/c/main.c", 3, 4),
    ("sh/run.sh: ^line 3: x", "", 0, 0),
    ("train.py: ^line 3: x", "/local/train.py", 3, 0),
    ("^make: *** [Makefile:3: all] Error 1", "/local/Makefile", 3, 0),
    ("    at main (file:///^workspace/c/main.c:4:15)", "/local/c/main.c", 4, 15),
    ("^FAILED pkg/model.py::test_a - x", "/local/pkg/model.py", 0, 0),
    (" --> ^/home/me/project/c/main.c:1:8", "/local/c/main.c", 1, 8),
    ("│ ^/workspace/pkg/model.py:8 in forward  │", "/local/pkg/model.py", 8, 0),
    ("enterprise │ ^/usr/lib/python3/x.py:3", "igor://enterprise/usr/lib/python3/x.py", 3, 0),
    ("[rank0]: ^train.py:3", "/local/train.py", 3, 0),
    ("^12:30:45 http://host:80/x.py C:\\data\\x", "", 0, 0),
    ("^", "", 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("marked", "name", "line", "column"), LINES, ids=[marked for marked, *_ in LINES]
)
def test_the_path_at_or_after_the_cursor_is_opened(
    marked: str, name: str, line: int, column: int
) -> None:
    found = location_at(marked.replace("^", "", 1), marked.index("^"), TREES, "apollo")
    assert found == (CursorTarget(name, line, column) if name else None)


def test_a_host_that_is_not_known_has_no_paths() -> None:
    assert location_at("train.py:3", 0, TREES, "voyager") is None
    assert location_at("train.py:3", 0, TREES) is None


def test_a_line_of_megabytes_is_answered() -> None:
    assert location_at("a:1 '\"" * 1_000_000, 5_000_000, TREES, "apollo") is None
