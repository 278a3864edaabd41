"""What people and programs see of a job, without a terminal and on one."""

import json
import os
import re
import threading
from pathlib import Path

import pytest

from igor_core.cli.prefix import LONGEST, Prefixer
from igor_core.cli.style import wants_colour
from igor_core.cli.text import printable, table, utf8
from igor_core.config.project import CONFIG_FILE
from igor_core.quantities import duration, size
from tests.support.cli_process import Terminal, environment, igor
from tests.support.fake_agent import Client, fake_agent, result


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one host in the group dev and two in cluster."""
    groups = {
        "dev": {"hosts": [{"host": "apollo", "dir": "/data"}]},
        "cluster": {"hosts": [{"host": h, "dir": "/data"} for h in ("apollo", "enterprise")]},
    }
    (tmp_path / ".igor").mkdir()
    (tmp_path / CONFIG_FILE).write_text(json.dumps({"host_groups": groups}))
    return tmp_path


def test_a_push_asks_for_what_the_options_say(project: Path) -> None:
    seen = []

    def script(client: Client) -> None:
        seen.append(
            (client.verb, client.root, client.args, client.hello["name"], client.hello["answers"])
        )
        client.finish()

    with fake_agent(script):
        done = igor("-C", str(project), "push", "-g", "x", "--host", "a", "--dry-run")
    assert seen == [
        ("push", str(project), {"group": "x", "hosts": ["a"], "dry_run": True}, "cli", False)
    ]
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_without_a_terminal_there_are_plain_lines_and_a_summary(project: Path) -> None:
    def script(client: Client) -> None:
        client.step("", "2 hosts")
        client.progress("apollo", 10, 100)
        client.step("apollo", "rebuild: requirements.txt changed")
        client.event("warning", host="enterprise", text="the mount hides .venv", hint="move it")
        failed = result("enterprise", 1, "enterprise: no route to host", "is it switched on?")
        client.finish(1, results=[result("apollo", text="12 files sent"), failed])

    with fake_agent(script):
        done = igor("docker", "setup", "-g", "cluster", cwd=project)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode().splitlines() == [
        "2 hosts",
        "apollo: rebuild: requirements.txt changed",
        "enterprise: warning: the mount hides .venv",
        "  move it",
        "apollo      ok      0.2 s  12 files sent",
        "enterprise  failed  0.2 s  no route to host",
        "  is it switched on?",
    ]


def test_one_hosts_bytes_pass_exec_unchanged_and_its_status_is_igors(project: Path) -> None:
    every_byte = bytes(range(256)) * 3000

    def script(client: Client) -> None:
        for start in range(0, len(every_byte), 50_000):
            client.output("apollo", every_byte[start : start + 50_000])
        client.output("apollo", b"no end", "stderr")
        client.finish(3, results=[result("apollo", 3, how="exited")])

    with fake_agent(script):
        done = igor("docker", "exec", "cat", "x", cwd=project)
    assert done.returncode == 3
    assert done.stdout == every_byte
    assert done.stderr == b"no endapollo  failed, exit status 3  0.2 s\n"


def test_exec_that_goes_well_on_one_host_adds_nothing_to_the_output(project: Path) -> None:
    def script(client: Client) -> None:
        client.output("apollo", b"hello\n")
        client.finish(results=[result("apollo")])

    with fake_agent(script):
        done = igor("docker", "exec", "echo hello", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hello\n", b"")


def test_lines_of_several_hosts_are_whole_and_have_their_host_before_them(project: Path) -> None:
    def script(client: Client) -> None:
        client.output("apollo", b"one\ntw")
        client.output("enterprise", b"eins\n", "stderr")
        client.output("enterprise", b"zwei\n 10%\r 99%\rdone\r\nno end")
        client.output("apollo", b"o\n")
        client.finish(results=[result("apollo"), result("enterprise", 2, how="exited")], status=1)

    with fake_agent(script):
        done = igor("docker", "exec", "-g", "cluster", "x", cwd=project)
    assert done.stdout.decode().splitlines() == [
        "apollo | one",
        "enterprise | zwei",
        "enterprise | done",
        "apollo | two",
        "enterprise | no end",
    ]
    assert done.stderr.decode().splitlines() == [
        "enterprise | eins",
        "apollo      ok                     0.2 s",
        "enterprise  failed, exit status 2  0.2 s",
    ]


def test_one_host_chosen_of_a_group_needs_no_prefix(project: Path) -> None:
    def script(client: Client) -> None:
        client.output("apollo", b"x\n")
        client.finish()

    with fake_agent(script):
        done = igor("docker", "exec", "-g", "cluster", "--host", "apollo", "x", cwd=project)
    assert done.stdout == b"x\n"


def test_text_from_a_host_cannot_act_on_the_terminal(project: Path) -> None:
    def script(client: Client) -> None:
        client.step("apollo", "sent \x1b[2Jevil\r\n\u202e\udcff.txt")
        client.finish(1, error="first\nsecond \x07", hint="do\tthis")

    with fake_agent(script):
        done = igor("push", cwd=project)
    assert done.stderr.decode().splitlines() == [
        r"apollo: sent \x1b[2Jevil\r\n\u202e\xff.txt",
        "igor: first",
        r"  second \x07",
        r"  do\tthis",
    ]


def test_json_is_one_event_per_line_and_the_outcome_last(project: Path) -> None:
    def script(client: Client) -> None:
        client.event("accepted", job=7, verb="exec")
        client.output("apollo", "€".encode()[:2])
        client.output("apollo", "€".encode()[2:] + b"\xff\n")
        client.output("apollo", b"\xe2", "stderr")
        client.step("apollo", "a name: \udcfe")
        client.finish(4, results=[result("apollo", 4)])

    with fake_agent(script):
        done = igor("docker", "exec", "--json", "x", cwd=project)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    output = {"type": "output", "host": "apollo", "stream": "stdout"}
    assert lines[:4] == [
        {"type": "accepted", "job": 7, "verb": "exec"},
        {**output, "data": "€\\xff\n"},
        {"type": "step", "host": "apollo", "text": "a name: \\xfe"},
        {**output, "stream": "stderr", "data": "\\xe2"},
    ]
    assert lines[4]["type"] == "finished"
    assert lines[4]["results"] == [result("apollo", 4)]
    assert len(lines) == 5
    assert (done.returncode, done.stderr) == (4, b"")


def test_an_error_before_the_job_is_a_json_line_too(project: Path) -> None:
    done = igor("--json", "push", "--images", cwd=project)
    assert json.loads(done.stdout)["error"] == "'igor push' has no option --images"
    assert (done.returncode, done.stderr) == (2, b"")


def test_progress_is_redrawn_in_place_on_a_terminal(project: Path) -> None:
    seen = threading.Event()

    def script(client: Client) -> None:
        client.progress("apollo", 1_200_000, 4_800_000)
        client.progress("enterprise", 3, 0)
        seen.wait(30)
        client.step("apollo", "sent")
        client.finish(results=[result("apollo"), result("enterprise")])

    with fake_agent(script):
        terminal = Terminal("push", "-g", "cluster", cwd=project)
        terminal.wait_for("3 B")
        seen.set()
        assert terminal.end() == 0
    text = terminal.screen.decode()
    assert f"apollo  push  [{'#' * 6}{' ' * 18}]   25%  1.2 MB of 4.8 MB  1.0 kB/s" in text
    shown = _shown(text)
    assert shown[0] == "apollo: sent"
    assert not any("[###" in line for line in shown)
    assert shown[-2].startswith("apollo      ok")


def test_igors_lines_start_at_the_left_after_output_without_an_end(project: Path) -> None:
    def script(client: Client) -> None:
        client.output("apollo", b"> ")
        client.finish(1, results=[result("apollo", 1)])

    with fake_agent(script):
        terminal = Terminal("docker", "exec", "x", cwd=project)
        assert terminal.end() == 1
    first, second = _shown(terminal.screen.decode())
    assert first == "> "
    assert second.startswith("apollo  failed")


def test_a_dumb_terminal_gets_neither_bars_nor_colour(project: Path) -> None:
    def script(client: Client) -> None:
        client.progress("apollo", 1, 4)
        client.step("apollo", "sent")
        client.finish(results=[result("apollo")])

    with fake_agent(script):
        terminal = Terminal("push", cwd=project, env=environment(TERM="dumb"))
        assert terminal.end() == 0
    assert terminal.screen == b"apollo: sent\r\napollo  ok  0.2 s\r\n"


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
    ],
)
def test_colour_away_from_a_terminal_follows_the_conventions(
    variables: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    reader, writer = os.pipe()
    assert wants_colour(writer) is wanted
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"CLICOLOR": "0"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_on_a_terminal_follows_the_conventions(
    variables: dict[str, str], wanted: bool, project: Path
) -> None:
    terminal = Terminal("psuh", cwd=project, env=environment(**variables))
    assert terminal.end() == 2
    assert (b"\x1b[31;1migor:" in terminal.screen) is wanted


def test_a_line_without_end_is_cut_and_not_kept_for_ever() -> None:
    prefixer = Prefixer()
    assert prefixer.lines("a", "stdout", b"x" * (2 * LONGEST + 1)) == [b"x" * LONGEST] * 2
    assert list(prefixer.rest()) == [("a", "stdout", b"x")]


def test_numbers_have_units_that_fit_them() -> None:
    assert [duration(s) for s in (0.04, 9.94, 59, 600, 185, 3610, 7800)] == [
        "0.0 s",
        "9.9 s",
        "59 s",
        "10 min",
        "3 min 5 s",
        "1 h",
        "2 h 10 min",
    ]
    assert [size(n) for n in (0, 999, 1000, 123_456, 3_100_000, 2e13)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "123 kB",
        "3.1 MB",
        "20.0 TB",
    ]


def test_cells_of_a_table_are_printable_and_aligned() -> None:
    assert table([["a", "bb", "c"], ["\x07", "", ""]]) == ["a     bb  c", r"\x07"]
    assert printable("naïve 🙂") == "naïve 🙂"
    assert utf8({"k\udcff": ["\udce9", 1]}) == {"k\\xff": ["\\xe9", 1]}


def _shown(screen: str) -> list[str]:
    """The lines that a terminal shows after `screen`, as far as igor moves the cursor."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d*A\r\x1b\[J|\r\n)", re.sub(r"\x1b\[[?\d;]*[mlh]", "", screen)):
        up = re.match(r"\x1b\[(\d+)A", part)
        if up:
            lines = [*lines[: -1 - int(up[1])], ""]
        elif part == "\r\n":
            lines.append("")
        else:
            lines[-1] += part
    return lines[:-1]
