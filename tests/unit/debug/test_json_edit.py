"""Changing some members of any JSON text, and nothing else."""

import json
import random
from typing import Any

import pytest

from igor_core.debug.editors.json_edit import Unusable, check, spliced


def some(chance: random.Random, depth: int = 0) -> Any:
    leaves: list[Any] = ['a"\\/é', "// x", "", 0, -1.5, True, None, [], {}]
    if depth > 2 or chance.random() < 0.4:
        return chance.choice(leaves)
    if chance.random() < 0.5:
        return [some(chance, depth + 1) for _ in range(chance.randrange(4))]
    names = chance.sample(["a", "b", "igor-x", "igor-y", "igor-z", "t", ""], chance.randrange(6))
    return {name: some(chance, depth + 1) for name in names}


def test_whatever_the_text_just_igors_members_change() -> None:
    for seed in range(500):
        splice_some(random.Random(seed))


def splice_some(chance: random.Random) -> None:
    content = {"x": some(chance), "t": some(chance), "y": some(chance)}
    if chance.random() < 0.3:
        del content["t"]
    new = {name: some(chance) for name in chance.sample(["igor-x", "igor-y", "igor-n"], 2)}
    style: dict[str, Any] = chance.choice(
        [{"indent": 2}, {"indent": "\t"}, {}, {"separators": (" ,", " : ")}, {"indent": 0}]
    )
    text = json.dumps(content, ensure_ascii=chance.random() < 0.5, **style)
    if chance.random() < 0.3:
        text = text.replace("\n", "\r\n")
    check(text)
    if not isinstance(content.get("t", {}), dict):
        with pytest.raises(Unusable):
            spliced(text, "t", new, lambda name: name.startswith("igor-"))
        return
    after = spliced(text, "t", new, lambda name: name.startswith("igor-"))
    check(after)
    kept = {n: v for n, v in content.get("t", {}).items() if not n.startswith("igor-")}
    found = json.loads(after)
    assert [*found] == [*content, *([] if "t" in content else ["t"])]
    assert {n: v for n, v in found["t"].items() if n in kept} == kept
    assert {n: v for n, v in found["t"].items() if n not in kept} == new
    assert {n: v for n, v in found.items() if n != "t"} == {
        n: v for n, v in content.items() if n != "t"
    }
    assert spliced(after, "t", new, lambda name: name.startswith("igor-")) == after
    assert ("\r\n" in after) == ("\r\n" in text)
