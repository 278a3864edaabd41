"""A JSON reader that knows the line of each value, unlike the standard library's."""

from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple, NoReturn

BLANKS = " \t\r\n"
DEEPEST = 50  # levels; far beyond any config, far within Python's recursion limit


class Node(NamedTuple):
    """A JSON value. Members and items are nodes; the `line` of a member is that of its key.

    `repeated` has the name and line of each key that occurs again in an object.
    """

    value: "dict[str, Node] | list[Node] | str | int | float | bool | None"
    line: int
    repeated: tuple[tuple[str, int], ...] = ()


class JsonSyntaxError(Exception):
    """The text is not JSON. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


LEAVES = JSONDecoder(parse_constant=_no_constant)


def scan(text: str) -> Node:
    """Read one JSON value. Raises JsonSyntaxError when `text` is not JSON."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]

    def document(self) -> Node:
        if not self._peek():
            self._fail("the file is empty", 0)
        node = self._value(self._line())
        if self._peek():
            self._fail("unexpected text after the closing bracket")
        return node

    def _line(self) -> int:
        return bisect_right(self.starts, self.at)

    def _fail(self, message: str, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        line = bisect_right(self.starts, at)
        raise JsonSyntaxError(message, line, at - self.starts[line - 1] + 1)

    def _peek(self) -> str:
        """Skip blanks; return the next character, or nothing at the end."""
        text, at, end = self.text, self.at, len(self.text)
        while at < end and text[at] in BLANKS:
            at += 1
        self.at = at
        return text[at : at + 1]

    def _value(self, line: int) -> Node:
        char = self._peek()
        if char in ("{", "["):
            return self._nested(char, line)
        return Node(self._leaf(char), line)

    def _nested(self, opening: str, line: int) -> Node:
        opened_at = self.at
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail(f"nested deeper than {DEEPEST} levels")
        self.at += 1
        node = self._object(opened_at, line) if opening == "{" else self._array(opened_at, line)
        self.depth -= 1
        return node

    def _object(self, opened_at: int, line: int) -> Node:
        members: dict[str, Node] = {}
        repeated: list[tuple[str, int]] = []
        more = not self._closes("}", opened_at)
        while more:
            self._peek()
            key_line = self._line()
            name = self._key()
            if self._peek() != ":":
                self._fail(f"expected ':' after the key {name!r}")
            self.at += 1
            if name in members:
                repeated.append((name, key_line))
            members[name] = self._value(key_line)
            more = self._continues("}", opened_at)
        return Node(members, line, tuple(repeated))

    def _array(self, opened_at: int, line: int) -> Node:
        items: list[Node] = []
        more = not self._closes("]", opened_at)
        while more:
            self._peek()
            items.append(self._value(self._line()))
            more = self._continues("]", opened_at)
        return Node(items, line)

    def _closes(self, closing: str, opened_at: int) -> bool:
        char = self._peek()
        if not char:
            self._fail(f"'{self.text[opened_at]}' is never closed", opened_at)
        if char == closing:
            self.at += 1
        return char == closing

    def _continues(self, closing: str, opened_at: int) -> bool:
        """After an item: skip the comma, or the closing bracket and return False."""
        if self._closes(closing, opened_at):
            return False
        if self.text[self.at] != ",":
            self._fail(_no_comma(self.text[self.at], closing))
        comma_at = self.at
        self.at += 1
        if self._closes(closing, opened_at):
            self._fail(f"remove this comma before '{closing}'", comma_at)
        return True

    def _key(self) -> str:
        char = self._peek()
        if char != '"':
            self._fail(_no_key(char))
        return str(self._leaf(char))

    def _leaf(self, char: str) -> str | int | float | bool | None:
        """Read a string, number or word; `char` is its first character."""
        value: str | int | float | bool | None = None
        start = self.at
        try:
            value, self.at = LEAVES.raw_decode(self.text, start)
            str(value).encode()
        except JSONDecodeError as error:
            at = error.pos if "escape" in error.msg else start
            self._fail(_no_text(error.msg) if char == '"' else _no_value(char), at)
        except UnicodeEncodeError:
            self._fail("this string contains half a surrogate pair, which is no character", start)
        except ValueError:  # int() refuses thousands of digits
            self._fail("not a valid JSON number", start)
        return value


def _no_value(char: str) -> str:
    if char in ("/", "#"):
        return "JSON has no comments; remove it"
    if char == "'":
        return "strings need double quotes"
    return (
        f"expected a value, found {char!r}"
        if char
        else "expected a value, found the end of the file"
    )


def _no_key(char: str) -> str:
    if char in ("/", "#"):
        return _no_value(char)
    return f"expected a key in double quotes, found {char!r}"


def _no_comma(char: str, closing: str) -> str:
    if char in ("/", "#"):
        return _no_value(char)
    return f"expected ',' or '{closing}', found {char!r}"


def _no_text(message: str) -> str:
    if "escape" in message:
        return r"unknown escape sequence; write \\ for a backslash"
    return "this string has no closing quote on its line"
