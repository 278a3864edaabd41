"""What a program left switched on in a terminal, and how it is switched off."""

import pytest

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
