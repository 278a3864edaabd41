"""What a program left switched on in a terminal, how it is switched off, and who is told of it."""

import pytest

from igor_core.cli.embedded import note
from igor_core.cli.screen_modes import ScreenModes

CASES = [
    (b"plain text", b""),
    (b"\x1b[?1049h\x1b[?2004h", b"\x1b[?1049l\x1b[?2004l"),
    (b"\x1b[?1049h text \x1b[?1049l", b""),
    (b"\x1b[?1000;1006h\x1b[?1006l", b"\x1b[?1000l"),
    (b"\x1b[?25l", b"\x1b[?25h"),
    (b"\x1b[?25l\x1b[?12l\x1b[?25h", b""),
    (b"\x1b[?7;1049l", b"\x1b[?7h"),
    (b"\x1b[?1049h\x1b[?25l\x1bc", b""),
    (b"\x1b[>1u\x1b[>5u\x1b[<u", b"\x1b[<1u"),
    (b"\x1b[>4;2m", b"\x1b[>4m"),
    (b"\x1b[>4;2m\x1b[>4m", b""),
    (b"\x1b[1;31mred\x1b[0m \x1b[2J", b""),
]


@pytest.mark.parametrize(("written", "undone"), CASES)
def test_exactly_what_is_on_is_switched_off(written: bytes, undone: bytes) -> None:
    modes = ScreenModes()
    modes.feed(written)
    assert modes.undo() == undone
    assert modes.undo() == b""


@pytest.mark.parametrize(("written", "undone"), CASES)
def test_a_switch_may_come_in_pieces(written: bytes, undone: bytes) -> None:
    modes = ScreenModes()
    for at in range(len(written)):
        modes.feed(written[at : at + 1])
    assert modes.undo() == undone


def test_the_last_word_about_pastes_is_found_though_it_comes_in_pieces() -> None:
    modes = ScreenModes()
    assert modes.feed(b"text \x1b[?25l") == 0
    written = b"a\x1b[?2004l\r\nb\x1b[?2004h$ \x1b[3"
    assert modes.feed(written) == written.index(b"$")
    assert modes.takes_pastes
    assert modes.feed(b"8;5m \x1b[?20") == 0
    assert modes.feed(b"04l more") == len(b"04l")
    assert not modes.takes_pastes


def test_an_editor_of_lines_is_told_from_readline_by_its_cursor_keys() -> None:
    readline, ipython = ScreenModes(), ScreenModes()
    readline.feed(b"\x1b[?2004h>>> ")
    ipython.feed(b"\x1b[?2004h\x1b[?1l\x1b[?25hIn [1]: ")
    assert (readline.has_set_keys, ipython.has_set_keys) == (False, True)


def test_notes_are_for_an_editor_that_has_given_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    assert note("running") == b""
    monkeypatch.setenv("IGOR_TERMINAL", "a\x1b")
    assert note("running") == b""
    monkeypatch.setenv("IGOR_TERMINAL", "af09")
    assert note("running") == b"\x1b]7707;af09;running\x1b\\"
