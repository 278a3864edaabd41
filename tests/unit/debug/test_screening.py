"""Messages of a hostile adapter must not make a debugger run anything locally."""

import json
from typing import Any

import pytest

from igor_core.debug.port.screening import Screening
from igor_core.output import SourceTree
from igor_core.remote.debug_helper.dap import Messages, packed


def heard(*bodies: bytes) -> list[Any]:
    """What the debugger gets of bytes that arrive in pieces."""
    screen, data = Screening(), b"".join(map(packed, bodies))
    said = b"".join(screen.feed(data[i : i + 7]) for i in range(0, len(data), 7))
    return [json.loads(body) for body in Messages().feed(said)]


def frames(path: str) -> dict[str, Any]:
    frame = {"id": 1, "name": "f", "line": 3, "source": {"name": "x.py", "path": path}}
    return {
        "type": "response", "command": "stackTrace", "success": True,
        "body": {"stackFrames": [frame]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "term://evil",
        "TERM://x",
        "scp://h/x",
        "zipfile:/x::y",
        "zipfile: x",
        "/p/tarfile::x",
        "/p/a\x1b]0;x\x07.py",
        "/p/a\n.py",
        "/p/a\x9b.py",
    ],
)
def test_an_address_as_source_path_is_removed(path: str) -> None:
    (message,) = heard(json.dumps(frames(path)).encode())
    assert message["body"]["stackFrames"][0]["source"] == {"name": "x.py"}


def test_an_address_in_json_escapes_is_removed() -> None:
    body = rb'{"type":"event","body":{"source":{"\u0070ath":"\u0074erm:\/\/evil","name":"x"}}}'
    assert heard(body) == [{"type": "event", "body": {"source": {"name": "x"}}}]


@pytest.mark.parametrize("path", ["/workspace/x.py", "<string>", "/a b/ü.py"])
def test_files_stay_byte_for_byte(path: str) -> None:
    body = json.dumps(frames(path), separators=(",", ":")).encode()
    assert Screening().feed(packed(body)) == packed(body)


def request(command: str, **arguments: Any) -> bytes:
    return json.dumps({"type": "request", "command": command, "arguments": arguments}).encode()


def test_requests_to_start_something_locally_are_dropped() -> None:
    child = request("startDebugging", request="attach", configuration={"subProcessId": 7})
    asked = [
        request("runInTerminal", args=["evil"], cwd="/"),
        request("startDebugging", request="launch", configuration={"type": "python"}),
        child,
        request("runInTerminal", args=["evil"]).replace(b"runIn", rb"\u0072unIn"),
    ]
    assert heard(*asked) == [json.loads(child)]


@pytest.mark.parametrize("body", [b"[" * 100000, b'{"a\\n"', b'["term:"]'])
def test_malformed_messages_are_dropped(body: bytes) -> None:
    assert heard(body.replace(b"[[", b"[[\\n", 1)) == []


@pytest.mark.parametrize("path", ["term:/x.py", "term://x.py", "zipfile:x/a.py", "tarfile::x.py"])
def test_an_output_event_has_no_address_as_source(path: str) -> None:
    inner = path.replace("//", "/")
    tree = SourceTree.of("/here", ["/workspace"], [inner, "file.py"])
    assert tree.locate(path, certain=True) is None
    assert tree.locate(f"/workspace/{inner}", certain=True) is None
    place = tree.locate("file:///workspace/file.py", certain=True)
    assert place is not None
    assert place.path == "/here/file.py"
