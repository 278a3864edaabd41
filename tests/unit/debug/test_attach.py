"""Attaching without hosts: messages to the adapter, and errors for what is missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from igor_core.cli.attach import listing
from igor_core.commands.editor_words import read_words, split_pid
from igor_core.commands.table import VERBS
from igor_core.debug.port.dap_rewrite import Answers, Rewriting
from igor_core.debug.processes.attach_plan import is_dangerous, way_to_attach
from igor_core.debug.processes.model import Means, PythonProcess
from igor_core.errors import HostError
from igor_core.remote.process_probe.means import gdb_version

# -- what the adapter hears


def packed(**message: Any) -> bytes:
    body = json.dumps({"seq": 3, "type": "request", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def messages(data: bytes) -> list[dict[str, Any]]:
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(head.split(b":")[1])
        found.append(json.loads(rest[:length]))
        data = rest[length:]
    return found


def test_the_pid_is_added_to_the_attach_request() -> None:
    asked = {"connect": {"host": "127.0.0.1", "port": 5556}, "justMyCode": False}
    (heard,) = messages(Rewriting(31).feed(packed(command="attach", arguments=asked)))
    assert heard["arguments"] == {"justMyCode": False, "processId": 31}
    assert heard["seq"] == 3


@pytest.mark.parametrize(
    "leaving",
    [
        {"command": "terminate", "arguments": {"restart": False}},
        {"command": "disconnect", "arguments": {"terminateDebuggee": True, "restart": False}},
        {"command": "disconnect"},
    ],
)
def test_no_way_to_leave_ends_the_process(leaving: dict[str, Any]) -> None:
    rewriting = Rewriting(31)
    (heard,) = messages(rewriting.feed(packed(**leaving)))
    assert (heard["command"], heard["arguments"]["terminateDebuggee"]) == ("disconnect", False)
    assert rewriting.end() == b""


def test_a_vanished_debugger_is_disconnected_once() -> None:
    rewriting = Rewriting(31)
    (heard,) = messages(rewriting.end())
    assert (heard["command"], heard["arguments"]) == ("disconnect", {"terminateDebuggee": False})
    assert rewriting.end() == b""


def test_other_messages_pass_unchanged_in_any_pieces() -> None:
    said = packed(command="evaluate", arguments={"expression": '"terminate" + "ä"'})
    said += packed(command="attach", arguments={}) + packed(command="threads")
    rewriting = Rewriting(7)
    heard = b"".join(rewriting.feed(said[at : at + 1]) for at in range(len(said)))
    first, second, third = messages(heard)
    assert first["arguments"]["expression"] == '"terminate" + "ä"'
    assert (second["arguments"], third["command"]) == ({"processId": 7}, "threads")


def test_the_answer_to_igors_own_request_is_dropped() -> None:
    (leave,) = messages(Rewriting(31).end())
    own = {"type": "response", "request_seq": leave["seq"], "command": "disconnect"}
    heard = packed(type="event", event="terminated"), packed(type="response", request_seq=4)
    answers = Answers()
    said = heard[0] + packed(**own) + heard[1]
    got = b"".join(answers.feed(said[at : at + 7]) for at in range(0, len(said), 7))
    assert got == b"".join(heard)


# -- what is missing


def process(session: str = "", remote_exec: bool = True, **means: Any) -> PythonProcess:
    has: dict[str, Any] = {
        "version": (3, 14), "adapter": (3, 14), "python": "/venv/bin/python",
        "debugpy": "/venv/lib", "denied": "", "may_write": True, "gdb": "", "gdb_version": 0,
    }  # fmt: skip
    found = Means(**{**has, **means})
    return PythonProcess(
        7, 1, ("python", "a.py"), "S", 0.0, 0, "/usr/bin/python3", "", session, remote_exec,
        means=found,
    )  # fmt: skip


def test_python_itself_comes_before_gdb() -> None:
    both = process(gdb="/usr/bin/gdb", gdb_version=13)
    assert way_to_attach(both, "on apollo") == "Python 3.14 itself"
    assert not is_dangerous(both)
    old = process(version=(3, 11), adapter=(3, 11), gdb="/usr/bin/gdb", gdb_version=13)
    assert way_to_attach(old, "on apollo") == "gdb 13"
    assert is_dangerous(old)
    assert not is_dangerous(process(version=(3, 11), gdb="/usr/bin/gdb", gdb_version=16))


@pytest.mark.parametrize(
    ("has", "text", "hint"),
    [
        ({"debugpy": ""}, "/venv/bin/python on apollo has no debugpy", "pip install debugpy"),
        ({"session": "af3"}, "is already being debugged by igor", "igor debug --reattach"),
        ({"denied": "user"}, "can't be attached to: it belongs to another user", "SYS_PTRACE"),
        ({"denied": "yama"}, "kernel.yama.ptrace_scope forbids it", "SYS_PTRACE"),
        ({"may_write": False}, "seccomp filter forbids it", '["--cap-add=SYS_PTRACE"]'),
        ({"version": (3, 11)}, "Python 3.11 needs gdb for that", "gdb 14 or later"),
        (
            {"adapter": (3, 15)},
            "it runs Python 3.14, but debugpy is installed for Python 3.15",
            '"python"',
        ),
        ({"remote_exec": False}, "with PYTHON_DISABLE_REMOTE_DEBUG", "gdb 14 or later"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(
    has: dict[str, Any], text: str, hint: str
) -> None:
    with pytest.raises(HostError) as error:
        way_to_attach(process(**has), "on apollo")
    assert text in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("GNU gdb (Debian 13.1-3) 13.1", 13),
        ("GNU gdb (Fedora Linux) 14.2-3.fc40", 14),
        ("GNU gdb (Ubuntu 15.0.50.20240403-0ubuntu1) 15.0.50.20240403-git", 15),
        ("not a gdb", 0),
    ],
)
def test_gdbs_say_their_version_in_many_ways(tmp_path: Path, said: str, version: int) -> None:
    gdb = tmp_path / "gdb"
    gdb.write_text(f"#!/bin/sh\necho '{said}'\necho Copyright 2.0\n")
    gdb.chmod(0o755)
    assert gdb_version(str(gdb)) == version  # type: ignore[no-untyped-call]


# -- words and lists


def test_a_number_is_a_pid_except_after_an_option() -> None:
    def read(*words: str) -> tuple[dict[str, Any], list[str], int]:
        values, others = read_words(VERBS["attach"], list(words))
        return (values, *split_pid(others))

    assert read("cluster", "231") == ({}, ["cluster"], 231)
    assert read("--host", "10", "231", "--force") == (
        {"hosts": ["10"], "allow_old_gdb": True},
        [],
        231,
    )
    assert read("--host", "10") == ({"hosts": ["10"]}, [], 0)
    assert read() == ({}, [], 0)


def test_the_list_is_aligned_and_moves_no_cursor() -> None:
    one = {"pid": 7, "host": "apollo", "rank": "0", "started": 0.0, "command": "python \x1b[2J"}
    head, line = listing([one])
    assert head.split() == ["PID", "host", "rank", "runs", "for", "command"]
    assert line.endswith("python \\x1b[2J")
