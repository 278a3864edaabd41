"""Bytes to lines and colours: lua/igor/ui/screen.lua and lua/igor/ui/ansi.lua, run in Neovim."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nvim.editor import Editor, running

FEED = """
local screen, lines = require('igor.ui.screen').new(), {}
local function emit(line) table.insert(lines, line) end
for _, chunk in ipairs(...) do screen:feed(chunk, emit) end
screen:finish(emit)
local found = {}
for _, line in ipairs(lines) do
  local spans = {}
  for _, span in ipairs(line.spans) do
    local style = vim.empty_dict()
    for key, value in pairs(span[3]) do
      if key ~= 'key' then style[key] = value end
    end
    table.insert(spans, { line.text:sub(span[1] + 1, span[2]), style })
  end
  table.insert(found, { line.text, spans })
end
return found
"""


@pytest.fixture
def editor(nvim: Path, home: Path) -> Iterator[Editor]:
    with running(nvim, home, home) as found:
        yield found


def feed(editor: Editor, *chunks: bytes) -> list[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """Return the lines that `chunks` produce: text, and its coloured parts."""
    found = editor.nvim.api.exec_lua(FEED, [list(chunks)])
    return [(text, [(part, style) for part, style in spans]) for text, spans in found]


def texts(editor: Editor, *chunks: bytes) -> list[str]:
    return [text for text, _spans in feed(editor, *chunks)]


def spans(editor: Editor, *chunks: bytes) -> list[tuple[str, dict[str, Any]]]:
    return [span for _text, found in feed(editor, *chunks) for span in found]


def test_lines_are_whole_wherever_the_chunks_are_cut(editor: Editor) -> None:
    data = "one\r\ntwo \x1b[1;38;5;208mbold é\x1b[0m!\x1b]0;a title\x07\nthree\n".encode()
    whole = feed(editor, data)
    assert [text for text, _ in whole] == ["one", "two bold é!", "three"]
    assert whole[1][1] == [("bold é", {"bold": True, "fg": 208})]
    for cut in range(1, len(data)):
        assert feed(editor, data[:cut], data[cut:]) == whole, f"cut at {cut}"


def test_a_carriage_return_writes_over_the_line_as_a_terminal_does(editor: Editor) -> None:
    assert texts(editor, b"10%\r20%\r100%\n", b"abcdef\rXY\n", b"a\rb\r\n") == [
        "100%",
        "XYcdef",
        "b",
    ]


def test_erasing_and_backspace_act_on_the_line(editor: Editor) -> None:
    assert texts(editor, b"a long line\r\x1b[Kshort\n") == ["short"]
    assert texts(editor, b"a long line\x1b[2K\rnew\n") == ["new"]
    assert texts(editor, b"abc\r\x1b[1Kx\n") == ["xbc"]
    assert texts(editor, b"abc\b\bX\n") == ["aXc"]


def test_colours_survive_being_written_over(editor: Editor) -> None:
    assert spans(editor, b"\x1b[31mred\x1b[0m\rX\n") == [("ed", {"fg": 1})]


def test_a_style_lasts_over_lines_until_its_reset(editor: Editor) -> None:
    found = feed(editor, b"\x1b[32mgreen\n", b"still", b"\x1b[m", b" plain\n")
    assert found == [
        ("green", [("green", {"fg": 2})]),
        ("still plain", [("still", {"fg": 2})]),
    ]


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        (b"31", {"fg": 1}),
        (b"97;104", {"fg": 15, "bg": 12}),
        (b"38;5;123", {"fg": 123}),
        (b"48;2;1;2;255", {"bg": "#0102ff"}),
        (b"38:2::1:2:255", {"fg": "#0102ff"}),
        (b"38:5:9", {"fg": 9}),
        (
            b"1;3;4;7;9",
            dict.fromkeys(("bold", "italic", "underline", "reverse", "strikethrough"), True),
        ),
        (b"1;22;4;24;31;39", {}),
        (b"4:3", {"underline": True}),
        (b"58;5;1;32", {"fg": 2}),
    ],
)
def test_sgr_sequences(editor: Editor, parameters: bytes, style: dict[str, Any]) -> None:
    found = spans(editor, b"\x1b[" + parameters + b"mx\n")
    assert found == ([("x", style)] if style else [])


def test_what_is_no_colour_leaves_no_trace(editor: Editor) -> None:
    data = (
        b"\x1b[?25la\x1b(Bb\x1b]8;;http://x\x1b\\c\x1b]8;;\x07d\x1bP1$r\x1b\\e\x07\x0e\x0f\x1b7f\n"
    )
    assert texts(editor, data) == ["abcdef"]


def test_a_sequence_that_never_ends_does_not_swallow_the_rest(editor: Editor) -> None:
    found = texts(editor, b"\x1b]0;" + b"x" * 5000, b"\nafter\n")
    assert found[-1] == "after"


def test_nul_and_bytes_that_are_not_utf8_are_safe(editor: Editor) -> None:
    raw = editor.nvim.api.exec_lua(
        "local s, t = require('igor.ui.screen').new(), {}\n"
        "s:feed(..., function(l) t[#t + 1] = l.text end)\n"
        "local hex = t[1]:gsub('.', function(c) return ('%02x'):format(c:byte()) end)\n"
        "return hex",
        [b"a\0\xff\xc3b\n"],
    )
    assert raw == "61ffc362"


def test_megabytes_without_a_newline_become_lines(editor: Editor) -> None:
    found = texts(editor, *[b"x" * 30000] * 10)
    assert "".join(found) == "x" * 300000
    assert max(map(len, found)) == 8192
