"""Editing igor's entries in any JSON text, with or without comments, and nothing else."""

import json
import random
import re
from typing import Any

import pytest

from igor_core.debug.editors.json_edit import (
    CannotEdit,
    OwnTable,
    check,
    edited,
    without_comments,
)

TABLE = OwnTable("t", "igor-")


def some(chance: random.Random, depth: int = 0) -> Any:
    leaves: list[Any] = ['a"\\/é', "// x", "", 0, -1.5, True, None, [], {}]
    if depth > 2 or chance.random() < 0.4:
        return chance.choice(leaves)
    if chance.random() < 0.5:
        return [some(chance, depth + 1) for _ in range(chance.randrange(4))]
    names = chance.sample(["a", "b", "igor-x", "igor-y", "igor-z", "t", ""], chance.randrange(6))
    return {name: some(chance, depth + 1) for name in names}


def some_text(chance: random.Random, content: Any) -> str:
    style: dict[str, Any] = chance.choice(
        [{"indent": 2}, {"indent": "\t"}, {}, {"separators": (" ,", " : ")}, {"indent": 0}]
    )
    text = json.dumps(content, ensure_ascii=chance.random() < 0.5, **style)
    return text.replace("\n", "\r\n") if chance.random() < 0.3 else text


def with_comments(chance: random.Random, text: str) -> tuple[str, list[str]]:
    """`text` with a comment after some of its tokens."""
    made: list[str] = []

    def add(token: re.Match[str]) -> str:
        if chance.random() < 0.7:
            return token[0]
        made.append(f'c{len(made)} {{"igor-x": 1, /')
        return token[0] + chance.choice([f" // {made[-1]}\n", f"/* {made[-1]} */"])

    return re.sub(r'"(?:\\.|[^"\\])*"|[{}\[\]:,]', add, text), made


def test_only_igors_entries_change_in_any_text() -> None:
    for seed in range(500):
        edit_some(random.Random(seed), comments=False)


def test_comments_stay_wherever_they_are() -> None:
    for seed in range(500):
        edit_some(random.Random(seed), comments=True)


def edit_some(chance: random.Random, *, comments: bool) -> None:
    content = {"x": some(chance), "t": some(chance), "y": some(chance)}
    if chance.random() < 0.3:
        del content["t"]
    new = {name: some(chance) for name in chance.sample(["igor-x", "igor-y", "igor-n"], 2)}
    text, made = some_text(chance, content), list[str]()
    if comments:
        text, made = with_comments(chance, text)
    check(text)
    if not isinstance(content.get("t", {}), dict):
        with pytest.raises(CannotEdit):
            edited(text, TABLE, new)
        return
    after = edited(text, TABLE, new)
    check(after)
    kept = {n: v for n, v in content.get("t", {}).items() if not n.startswith("igor-")}
    found = json.loads(without_comments(after))
    assert [*found] == [*content, *([] if "t" in content else ["t"])]
    assert {n: v for n, v in found["t"].items() if n in kept} == kept
    assert {n: v for n, v in found["t"].items() if n not in kept} == new
    assert {n: v for n, v in found.items() if n != "t"} == {
        n: v for n, v in content.items() if n != "t"
    }
    assert edited(after, TABLE, new) == after
    assert ("\r\n" in after) == ("\r\n" in text)
    lost = [each for each in made if each not in after]
    # Inside of an entry of igor's, which is replaced as a whole.
    assert not lost or any(name.startswith("igor-") for name in content.get("t", {}))


COMMENTED = """\
{
  // the first
  "t": { // of the table
    "mine": 1, // why
    /* above igor's */
    "igor-x": {"old": 1}, // beside igor's
    "igor-gone": 2 /* after one that goes */
    // at the end
  }
}
"""


EDITED = """\
{
  // the first
  "t": { // of the table
    "mine": 1, // why
    /* above igor's */
    "igor-x": 3, // beside igor's
 /* after one that goes */
    // at the end
    "igor-y": 4
  }
}
"""


def test_a_comment_stays_with_what_it_is_about() -> None:
    assert edited(COMMENTED, TABLE, {"igor-x": 3, "igor-y": 4}) == EDITED
