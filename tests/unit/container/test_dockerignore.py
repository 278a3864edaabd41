"""`.dockerignore` as docker reads it, compared with docker itself in test_image_context.py."""

import pytest

from igor_core.container.dockerignore import BadPattern, read


@pytest.mark.parametrize(
    ("text", "ignored", "kept"),
    [
        ("*.log", ["a.log"], ["sub/a.log", "a.logs"]),
        ("**/*.log", ["a.log", "x/y/a.log"], ["a.txt"]),
        ("data", ["data", "data/x", "data/y/z"], ["data2", "sub/data"]),
        ("/data/", ["data/x"], ["sub/data/x"]),
        ("**/cache", ["cache", "a/cache", "a/b/cache/x"], ["mycache"]),
        ("**cache", ["mycache", "a/mycache"], ["cache.txt"]),
        ("a/**", ["a/b", "a/b/c"], ["b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/zz", "z"]),
        ("*/temp*", ["x/temporary", "x/temp/y"], ["temp", "x/y/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab", "temp/"]),
        ("[a-c].txt", ["b.txt"], ["d.txt", "-.txt"]),
        ("[^a].txt", ["b.txt"], ["a.txt"]),
        ("*\n!README.md", ["a", "x/README.md"], ["README.md"]),
        ("docs\n!docs/keep.md", ["docs/a"], ["docs/keep.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]),
        ("!a\na", ["a"], []),
        ("# a comment\n \n#b", [], ["# a comment", "#b"]),
        (" #b \n", ["#b"], []),
        ("./a/../b", ["b"], ["a"]),
        (r"\#odd" + "\n" + r"\*", ["#odd", "*"], ["x"]),
        ("a.b+c(d)$|{e}", ["a.b+c(d)$|{e}"], ["aXb+c(d)$|{e}"]),
        ("a^b", ["a^b"], []),
        ("\ufeffa\r\nb\r", ["a", "b"], ["c"]),
        ("**", ["a", "a/b"], []),
        (".", [], ["a"]),
        ("a b", ["a b"], ["a"]),
    ],
)
def test_patterns(text: str, ignored: list[str], kept: list[str]) -> None:
    rules = read(text)
    assert [path for path in ignored if not rules.ignores(path)] == []
    assert [path for path in kept if rules.ignores(path)] == []


@pytest.mark.parametrize("pattern", ["[", "a\\", "!", "x[b-a]", "[]"])
def test_a_bad_pattern_names_its_line(pattern: str) -> None:
    with pytest.raises(BadPattern, match="line 2: "):
        read(f"ok\n{pattern}\n")
