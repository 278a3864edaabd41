"""Which fields Lua code reads that nothing defines, by the LuaCATS annotations of its modules.

Known types are modules (`require('igor.x')`), classes (`---@class`) and the tables that methods are
defined on. A value has one where it is required, made by setmetatable(), declared by `---@type` or
`---@param`, or returned by a function with `---@return`. What has no known type is not checked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_lua
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_lua.language()))

_CLASS = re.compile(r"^---@class ([\w.]+)(?: *: *([\w.]+))?")
_FIELD = re.compile(r"^---@field ([\w]+)\?? +(.+)")
_ALIAS = re.compile(r"^---@alias ([\w.]+)")
_PARAM = re.compile(r"^---@param ([\w]+)\?? +(.+)")
_RETURN = re.compile(r"^---@return (.+)")
_TYPE = re.compile(r"^---@type (.+)")
_OWN_TYPE = re.compile(r"\bIgor\w+")
# `Name`, `Name[]` or `table<Key, Name>`, which may be nil.
_NAME = re.compile(r"^([\w.]+(?:\[\])?|table<[^,<>]+, *[\w.]+>)(?:\?|\|nil)?(?:[ ,]|$)")
_ELEMENT = re.compile(r"^(?:([\w.]+)\[\]|table<[^,<>]+, *([\w.]+)>)$")

Scope = dict[str, str]


@dataclass
class Shape:
    """A known table: its fields with their types ("" if unknown), what its functions return."""

    fields: Scope = field(default_factory=dict)
    returns: dict[str, list[str]] = field(default_factory=dict)
    parent: str = ""
    #: Whether fields are set by computed names too.
    is_open: bool = False


@dataclass
class File:
    """A source file: lines, syntax, and the types of its top-level tables."""

    name: str
    module: str
    lines: list[str]
    root: Node
    tables: Scope = field(default_factory=dict)


class Checker:
    """The types of all modules below a folder, and the faults in their use."""

    def __init__(self, root: Path) -> None:
        self.shapes: dict[str, Shape] = {}
        self.aliases: set[str] = set()
        self.found: list[str] = []
        self.files = [self._read(root, path) for path in sorted(root.rglob("*.lua"))]
        for file in self.files:
            self._declare(file)
        for file in self.files:
            self._check_names(file)
            Walk(self, file).block(file.root, dict(file.tables))

    def field_of(self, kind: str, name: str) -> str | None:
        """A field's type, "" where it is unknown; None where nothing defines the field."""
        shape = self.shapes[kind]
        if name in shape.fields:
            return shape.fields[name]
        if shape.parent in self.shapes:
            return self.field_of(shape.parent, name)
        return "" if shape.is_open or shape.parent else None

    def returns_of(self, kind: str, name: str) -> list[str]:
        shape = self.shapes[kind]
        if name in shape.returns or shape.parent not in self.shapes:
            return shape.returns.get(name, [])
        return self.returns_of(shape.parent, name)

    def _read(self, root: Path, path: Path) -> File:
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "init" else parts)
        text = path.read_bytes()
        lines = text.decode().splitlines()
        return File(str(path.relative_to(root)), module, lines, _PARSER.parse(text).root_node)

    def _declare(self, file: File) -> None:
        tied = dict(self._classes(file.lines))
        returned = _returned(file.root)
        with_methods = {_text(name) for name in _tables_with_index(file.root)}
        for table, value in _top_tables(file.root):
            row = table.start_point[0]
            name = _text(table)
            if row in tied:
                kind = tied[row]
            elif name == returned or name in with_methods:
                kind = f"{file.module}.{name}"
                parent = _first(_TYPE, _above(file.lines, row))
                self.shapes[kind] = Shape(parent=_named(parent))
            else:
                continue
            file.tables[name] = kind
            self._define(kind, value)
        self.shapes[file.module] = Shape(parent=file.tables.get(returned, "?"))
        self._define_all(file)

    def _classes(self, lines: list[str]) -> Iterator[tuple[int, str]]:
        """Declare the classes; the row below each, and its name."""
        name = ""
        for row, line in enumerate(lines):
            if found := _CLASS.match(line):
                name = found[1]
                self.shapes[name] = Shape(parent=found[2] or "")
            elif found := _ALIAS.match(line):
                self.aliases.add(found[1])
            elif name and (found := _FIELD.match(line)):
                self.shapes[name].fields[found[1]] = _named(found[2])
            elif name and not line.startswith("---"):
                yield row, name
                name = ""

    def _define(self, kind: str, value: Node | None) -> None:
        """Take the fields of a table constructor, that of setmetatable()'s first argument too."""
        for node in value.named_children if value else []:
            if node.type == "field":
                name = node.child_by_field_name("name")
                if name and name.type == "identifier":
                    self.shapes[kind].fields.setdefault(_text(name), "")

    def _define_all(self, file: File) -> None:
        """Take what is assigned to the file's tables, and in their methods to `self`."""
        for node in _all(file.root):
            if node.type == "function_declaration":
                self._define_function(file, node)
            elif node.type == "assignment_statement":
                for target in node.named_children[0].named_children:
                    self._define_target(file, target)
            elif node.type == "function_call" and _text(node.child_by_field_name("name")) == (
                "setmetatable"
            ):
                made, table = [*_arguments(node), None, None][:2]
                if made and table and _text(table) in file.tables:
                    self._define(file.tables[_text(table)], made)

    def _define_function(self, file: File, node: Node) -> None:
        name = node.child_by_field_name("name")
        table = name.child_by_field_name("table") if name else None
        kind = file.tables.get(_text(table)) if table else None
        if name and kind:
            short = _text(name.child_by_field_name("field") or name.child_by_field_name("method"))
            self.shapes[kind].fields.setdefault(short, "")
            self.shapes[kind].returns[short] = _returns(file.lines, node)

    def _define_target(self, file: File, target: Node) -> None:
        table = target.child_by_field_name("table")
        kind = file.tables.get(_text(table)) if table else None
        if table and _text(table) == "self":
            kind = file.tables.get(_method_of(target))
        if not kind:
            return
        if target.type == "dot_index_expression":
            name = _text(target.child_by_field_name("field"))
            types = _first(_TYPE, _above(file.lines, target.start_point[0]))
            self.shapes[kind].fields.setdefault(name, _named(types))
        elif target.type == "bracket_index_expression" and _text(table) != "self":
            self.shapes[kind].is_open = True

    def _check_names(self, file: File) -> None:
        for row, line in enumerate(file.lines):
            annotation = line.partition("  ")[0] if line.startswith("---@") else ""
            for name in _OWN_TYPE.findall(annotation):
                if name not in self.shapes and name not in self.aliases:
                    self.found.append(f"{file.name}:{row + 1}: no class is named {name}")


class Walk:
    """Follows the types of a file's values through its blocks."""

    def __init__(self, checker: Checker, file: File) -> None:
        self._checker = checker
        self._file = file
        self._returns: dict[str, list[str]] = {}

    def block(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            self._statement(child, scope)

    def _statement(self, node: Node, scope: Scope) -> None:
        if node.type in ("function_declaration", "function_definition"):
            self._function(node, scope)
        elif node.type in ("variable_declaration", "assignment_statement"):
            self._assign(node, scope)
        elif node.type == "for_statement":
            inner = dict(scope)
            self._loop(node.child_by_field_name("clause"), inner)
            self.block(node, inner)
        elif node.type == "block":
            self.block(node, dict(scope))
        else:
            self.types(node, scope)
            self.block(node, scope)

    def _function(self, node: Node, scope: Scope) -> None:
        inner = dict(scope)
        name = node.child_by_field_name("name")
        if name and name.type == "identifier":
            self._returns[_text(name)] = _returns(self._file.lines, node)
            scope.pop(_text(name), None)
        if name and name.type == "method_index_expression":
            inner["self"] = scope.get(_text(name.child_by_field_name("table")), "")
        above = _above(self._file.lines, node.start_point[0])
        declared = {found[1]: _named(found[2]) for line in above if (found := _PARAM.match(line))}
        parameters = node.child_by_field_name("parameters")
        for parameter in parameters.named_children if parameters else []:
            inner[_text(parameter)] = declared.get(_text(parameter), "")
        body = node.child_by_field_name("body")
        if body:
            self.block(body, inner)

    def _assign(self, node: Node, scope: Scope) -> None:
        is_local = node.type == "variable_declaration"
        above = _above(self._file.lines, node.start_point[0]) if is_local else []
        declared = _named(_first(_TYPE, above))
        if is_local and node.named_children[0].type == "assignment_statement":
            node = node.named_children[0]
        targets = node.named_children[0] if node.type == "assignment_statement" else node
        values = (
            node.named_children[1].named_children if node.type == "assignment_statement" else []
        )
        types: list[str] = []
        for number, value in enumerate(values):
            found = self.types(value, scope) or [""]
            types += found if number == len(values) - 1 else found[:1]
            self.block(value, scope)
        names = targets.named_children if targets.type == "variable_list" else [targets]
        for number, name in enumerate(names):
            if name.type != "identifier":
                self.types(name, scope)
                self.block(name, scope)
            elif is_local:
                kind = types[number] if number < len(types) else ""
                known = self._file.tables.get(_text(name), "") if _is_top(node) else ""
                scope[_text(name)] = known or declared or kind

    def _loop(self, clause: Node | None, scope: Scope) -> None:
        if clause is None or clause.type != "for_generic_clause":
            return
        names, values = clause.named_children[:2]
        call = values.named_children[0]
        listed = ""
        if _text(call.child_by_field_name("name")) in ("ipairs", "pairs") and _arguments(call):
            listed = (self.types(_arguments(call)[0], scope) or [""])[0]
        for number, name in enumerate(names.named_children):
            scope[_text(name)] = _element(listed) if number == 1 else ""

    def types(self, node: Node, scope: Scope) -> list[str]:
        """The types of what an expression gives; a field that nothing defines is noted."""
        if node.type == "identifier":
            return [scope.get(_text(node), "")]
        if node.type == "parenthesized_expression":
            return self.types(node.named_children[0], scope)[:1]
        if node.type == "function_call":
            return self._call(node, scope)
        if node.type in ("dot_index_expression", "method_index_expression"):
            return [self._field(node, scope)]
        if node.type == "bracket_index_expression":
            table = node.child_by_field_name("table")
            return [_element(self.types(table, scope)[0])] if table else [""]
        return [""]

    def _call(self, node: Node, scope: Scope) -> list[str]:
        name = node.child_by_field_name("name")
        arguments = _arguments(node)
        if name is None:
            return [""]
        if _text(name) == "require" and arguments:
            module = _text(arguments[0]).strip("'\"")
            return [module if module in self._checker.shapes else ""]
        if _text(name) == "setmetatable" and len(arguments) > 1:
            return [scope.get(_text(arguments[1]), "")]
        if name.type == "identifier":
            return self._returns.get(_text(name), [""]) or [""]
        table = name.child_by_field_name("table")
        kind = self.types(table, scope)[0] if table else ""
        short = name.child_by_field_name("field") or name.child_by_field_name("method")
        if kind not in self._checker.shapes or name.type == "bracket_index_expression":
            return [""]
        return self._checker.returns_of(kind, _text(short)) or [""]

    def _field(self, node: Node, scope: Scope) -> str:
        table = node.child_by_field_name("table")
        short = node.child_by_field_name("field") or node.child_by_field_name("method")
        kind = self.types(table, scope)[0] if table else ""
        if kind not in self._checker.shapes:
            return ""
        found = self._checker.field_of(kind, _text(short))
        if found is None:
            place = f"{self._file.name}:{node.start_point[0] + 1}"
            fault = f"{place}: {kind} has no field '{_text(short)}'"
            if fault not in self._checker.found:
                self._checker.found.append(fault)
        return found or ""


def faults(root: Path) -> list[str]:
    """The undefined fields that code below `root` uses, each as `file:line: what is wrong`."""
    return Checker(root).found


def _text(node: Node | None) -> str:
    return node.text.decode() if node and node.text else ""


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from _all(child)


def _arguments(call: Node) -> list[Node]:
    found = call.child_by_field_name("arguments")
    return found.named_children if found else []


def _above(lines: list[str], row: int) -> list[str]:
    """The annotations and doc comments directly above a row."""
    first = row
    while first > 0 and lines[first - 1].lstrip().startswith("---"):
        first -= 1
    return [line.lstrip() for line in lines[first:row]]


def _first(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next((found[1] for line in lines if (found := pattern.match(line))), "")


def _returns(lines: list[str], function: Node) -> list[str]:
    above = _above(lines, function.start_point[0])
    return [_named(found[1]) for line in above if (found := _RETURN.match(line))]


def _named(annotation: str) -> str:
    """The type that an annotation begins with, without `|nil`; "" where it is no name."""
    found = _NAME.match(annotation)
    return found[1] if found else ""


def _element(kind: str) -> str:
    found = _ELEMENT.match(kind)
    return (found[1] or found[2]) if found else ""


def _is_top(node: Node) -> bool:
    parent = (
        node.parent if node.type == "variable_declaration" else node.parent and node.parent.parent
    )
    return parent is not None and parent.type == "chunk"


def _returned(root: Node) -> str:
    """The name of the table that the module hands out."""
    last = root.named_children[-1] if root.named_children else None
    return _text(last.named_children[0]) if last and last.type == "return_statement" else ""


def _top_tables(root: Node) -> Iterator[tuple[Node, Node | None]]:
    """The names that are declared with a table at the top level, and its constructor."""
    for node in root.named_children:
        first = node.named_children[0] if node.type == "variable_declaration" else node
        if first is not node and first.type == "assignment_statement":
            names, values = first.named_children
            value = values.named_children[0]
            if value.type == "table_constructor":
                yield names.named_children[0], value


def _tables_with_index(root: Node) -> Iterator[Node]:
    """Tables of methods, `X` where `X.__index = X`."""
    for node in root.named_children:
        if node.type == "assignment_statement":
            target = node.named_children[0].named_children[0]
            if _text(target).endswith(".__index"):
                yield target.named_children[0]


def _method_of(node: Node | None) -> str:
    """The table whose method, or whose constructor, a node stands in."""
    while node:
        name = node.child_by_field_name("name")
        table = name.child_by_field_name("table") if name else None
        if node.type == "function_declaration" and table:
            return _text(table)
        node = node.parent
    return ""
