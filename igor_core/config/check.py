"""Compare a JSON tree with the dataclasses of the model: list all mistakes, or build the value."""

from collections.abc import Iterator, Mapping, Sized
from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeGuard, get_args, get_origin

from igor_core.config.problem import Problem
from igor_core.config.rules import Key, Rule
from igor_core.config.scan import Node
from igor_core.config.wording import described, expected, member, one_of, shown, unknown
from igor_core.nearest import nearest

IGNORED = "$schema"  # at the top level: tells an editor where the schema is


def problems(node: Node, kind: Any, key: Key, path: str = "") -> Iterator[Problem]:
    """Yield every mistake in `node`, which should be of `kind`, an annotation of the model."""
    value, kind = node.value, required(kind)
    if is_dataclass(kind) and isinstance(value, dict):
        yield from _repeated(node, path)
        yield from _table(value, kind, path, node.line)
    elif get_origin(kind) is Mapping and isinstance(value, dict):
        yield from _repeated(node, path)
        yield from _mapping(value, get_args(kind)[1], key, path, node.line)
    elif get_origin(kind) is tuple and isinstance(value, list):
        yield from _list(value, get_args(kind)[0], key, path, node.line)
    elif kind in (int, float) and _is_number(value, kind):
        yield from _number(value, key, path, node.line)
    elif kind is bool and isinstance(value, bool):
        return
    elif kind is str and isinstance(value, str):
        yield from _broken(value, key.rules, path, node.line)
    elif get_origin(kind) is Literal and isinstance(value, str):
        yield from _choice(value, get_args(kind), path, node.line)
    else:
        yield Problem(path, node.line, f"expected {expected(kind)}, found {described(value)}")


def build(node: Node, kind: Any, **more: str) -> Any:
    """Build the value of `node`, which has no mistakes; `more` are members not in the file."""
    value, kind = node.value, required(kind)
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        present = [field for field in keys(kind) if field.name in value]
        members = {field.name: build(value[field.name], field.type) for field in present}
        return kind(**members, **more)
    if isinstance(value, dict):
        element = get_args(kind)[1]
        return {
            name: build(item, element, **({"name": name} if is_dataclass(element) else {}))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return tuple(build(item, get_args(kind)[0]) for item in value)
    return value


def keys(table: Any) -> "list[Field[Any]]":
    """Return the fields of a dataclass that are keys in the file."""
    return [field for field in fields(table) if "key" in field.metadata]


def required(kind: Any) -> Any:
    """Return `X` for the annotation `X | None`, which says that the key is optional."""
    if isinstance(kind, UnionType):
        return next(arg for arg in get_args(kind) if arg is not NoneType)
    return kind


def mandatory(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def either(table: Any) -> tuple[str, ...]:
    """Return the keys that exclude each other and of which one is mandatory, if any."""
    names: tuple[str, ...] = getattr(table, "EITHER", ())
    return names


def broken(text: str, rules: tuple[Rule, ...]) -> str | None:
    """Return the sentence of the first rule that `text` breaks."""
    return next((rule.sentence for rule in rules if rule.broken_by(text)), None)


def _repeated(node: Node, path: str) -> Iterator[Problem]:
    for name, line in node.repeated:
        yield Problem(member(path, name), line, "duplicate key")


def _table(members: dict[str, Node], kind: Any, path: str, line: int) -> Iterator[Problem]:
    known = {field.name: field for field in keys(kind)}
    for name, node in members.items():
        if name in known:
            field = known[name]
            yield from problems(node, field.type, field.metadata["key"], member(path, name))
        elif path or name != IGNORED:
            yield Problem(member(path, name), node.line, unknown(name, known))
    for name, field in known.items():
        if name not in members and mandatory(field):
            yield Problem(member(path, name), line, "is missing")
    yield from _either(members, either(kind), path, line)


def _either(
    members: dict[str, Node], names: tuple[str, ...], path: str, line: int
) -> Iterator[Problem]:
    """Yield a mistake unless exactly one of `names` is set."""
    present = [name for name in names if name in members]
    if names and not present:
        yield Problem(path, line, f"must have {one_of(names)}")
    for name in present[1:]:
        message = f"can't be set together with '{present[0]}'"
        yield Problem(member(path, name), members[name].line, message)


def _mapping(
    members: dict[str, Node], kind: Any, key: Key, path: str, line: int
) -> Iterator[Problem]:
    yield from _empty(members, key, path, line)
    for name, node in members.items():
        yield from _broken(name, key.names, member(path, name), node.line)
        yield from problems(node, kind, Key("", rules=key.rules), member(path, name))


def _list(items: list[Node], kind: Any, key: Key, path: str, line: int) -> Iterator[Problem]:
    yield from _empty(items, key, path, line)
    for index, node in enumerate(items):
        yield from problems(node, kind, Key("", rules=key.rules), f"{path}[{index}]")
    if key.distinct:
        yield from _same(items, key.distinct, path)


def _same(items: list[Node], names: tuple[str, ...], path: str) -> Iterator[Problem]:
    """Yield the tables that agree with an earlier one in all `names`; a last '/' is ignored."""
    first: dict[tuple[str, ...], int] = {}
    for index, node in enumerate(items):
        if not isinstance(node.value, dict):
            continue
        identity = tuple(_identity(node.value.get(name)) for name in names)
        earlier = first.setdefault(identity, index)
        if earlier != index:
            yield Problem(f"{path}[{index}]", node.line, f"is the same as {path}[{earlier}]")


def _identity(node: Node | None) -> str:
    if node is None:
        return ""
    return repr(node.value.rstrip("/") if isinstance(node.value, str) else node.value)


def _empty(items: Sized, key: Key, path: str, line: int) -> Iterator[Problem]:
    if key.filled and not items:
        yield Problem(path, line, "must not be empty")


def _is_number(value: object, kind: Any) -> TypeGuard[float]:
    numbers = (int, float) if kind is float else int
    return isinstance(value, numbers) and not isinstance(value, bool)


def _number(value: float, key: Key, path: str, line: int) -> Iterator[Problem]:
    low, high = key.minimum, key.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        yield Problem(path, line, f"expected a number from {low} to {high}, found {value}")


def _choice(value: str, choices: tuple[str, ...], path: str, line: int) -> Iterator[Problem]:
    if value not in choices:
        message = f"expected {one_of(choices)}, found {shown(value)}{nearest(value, choices)}"
        yield Problem(path, line, message)


def _broken(text: str, rules: tuple[Rule, ...], path: str, line: int) -> Iterator[Problem]:
    sentence = broken(text, rules)
    if sentence is not None:
        yield Problem(path, line, f"{sentence}; found {shown(text)}")
