"""The state of one debugger's dialogue, and how another resumes it: messages in and out."""

import json
import os
from typing import Any

import pytest

from igor_core.remote.debug_helper.dap import Messages, packed
from igor_core.remote.debug_helper.dialogue import Dialogue
from igor_core.remote.debug_helper.resume import OTHER_VIEW, OWN, Resume

Message = dict[str, Any]
CLIENT = {"linesStartAt1": True, "columnsStartAt1": True, "pathFormat": "path"}
VIEW = {"pathMappings": [{"localRoot": "/p", "remoteRoot": "/workspace"}], "justMyCode": False}


def request(seq: int, command: str, **arguments: Any) -> Message:
    return {"seq": seq, "type": "request", "command": command, "arguments": arguments}


def response(seq: int, command: str, success: bool = True, **body: Any) -> Message:
    return {
        "seq": 0, "type": "response", "request_seq": seq, "command": command, "success": success,
        "body": body,
    }  # fmt: skip


def event(name: str, **body: Any) -> Message:
    return {"seq": 0, "type": "event", "event": name, "body": body}


def stop(thread: int) -> Message:
    return event("stopped", reason="breakpoint", threadId=thread, allThreadsStopped=True)


def child(seq: int, pid: int) -> Message:
    return request(seq, "startDebugging", configuration={"subProcessId": pid})


@pytest.fixture
def dialogue() -> Dialogue:
    """The dialogue of a debugger that has attached; the program runs."""
    made = Dialogue()
    made.asked(request(1, "initialize", **CLIENT))
    made.said(response(1, "initialize", supportsConfigurationDoneRequest=True))
    made.asked(request(2, "attach", **VIEW))
    made.asked(request(3, "setBreakpoints", source={"path": "/p/a.py"}, breakpoints=[{"line": 1}]))
    made.asked(request(4, "configurationDone"))
    made.said(event("process", isLocalProcess=True))
    assert not made.can_be_parked
    made.said(response(2, "attach"))
    assert made.can_be_parked
    return made


def stops(dialogue: Dialogue) -> list[int]:
    return [body["threadId"] for body in dialogue.stopped.values()]


def begun(dialogue: Dialogue, **view: Any) -> tuple[Resume, list[Message], list[Message]]:
    """Begin with another debugger; return the last messages to debugpy and to it."""
    resume = Resume(Dialogue(json.loads(json.dumps(dialogue.fields()))))
    (answer,) = resume.asked(request(1, "initialize", **CLIENT))[1]
    assert answer["body"] == {"supportsConfigurationDoneRequest": True}
    (told,) = resume.asked(request(2, "attach", **{**VIEW, **view}))[1]
    assert told["event"] == "initialized"
    assert resume.said(stop(9)) == ([], [])
    resume.dialogue.runs(9, all_threads=False)
    return resume, *resume.asked(request(3, "configurationDone"))


def names(messages: list[Message]) -> list[str]:
    return [str(each.get("event") or each["command"]) for each in messages]


# -- what is known


def test_a_thread_is_stopped_until_a_request_lets_it_run(dialogue: Dialogue) -> None:
    for thread in (10, 2):
        dialogue.said(stop(thread))
    dialogue.said(stop(10))
    assert stops(dialogue) == [2, 10]
    dialogue.asked(request(5, "next", threadId=2, singleThread=True))
    assert stops(dialogue) == [10]
    dialogue.asked(request(6, "continue", threadId=10))
    assert stops(dialogue) == []


@pytest.mark.parametrize("command", ["stepIn", "goto"])
def test_a_failed_request_changes_nothing(dialogue: Dialogue, command: str) -> None:
    dialogue.said(stop(1))
    dialogue.asked(request(5, command, threadId=1, targetId=77))
    dialogue.said(response(5, command, success=False))
    assert stops(dialogue) == [1]


@pytest.mark.parametrize("command", ["disconnect", "terminate"])
def test_a_debugger_that_left_on_purpose_is_not_parked(dialogue: Dialogue, command: str) -> None:
    dialogue.asked(request(5, command))
    assert not dialogue.can_be_parked


def test_the_debugger_of_a_child_is_not_parked() -> None:
    dialogue = Dialogue()
    dialogue.asked(request(1, "attach", subProcessId=7))
    dialogue.said(response(1, "attach"))
    assert not dialogue.can_be_parked


# -- another one goes on


def test_the_next_debugger_gets_earlier_answers_and_the_stops(dialogue: Dialogue) -> None:
    dialogue.said(stop(1))
    resume, there, here = begun(dialogue)
    assert names(here) == ["configurationDone", "attach", "process", "stopped"]
    assert [each["request_seq"] for each in here[:2]] == [3, 2]
    assert here[-1]["body"]["threadId"] == 1
    # It has set no breakpoint in that file.
    assert [(each["command"], each["arguments"]["breakpoints"]) for each in there] == [
        ("setBreakpoints", [])
    ]
    assert resume.said(response(there[0]["seq"], "setBreakpoints")) == ([], [])
    assert resume.dialogue.can_be_parked


def test_message_numbers_do_not_collide_with_the_previous_debuggers(dialogue: Dialogue) -> None:
    dialogue.asked(request(5, "threads"))
    resume, _there, _here = begun(dialogue)
    ((asked,), _) = resume.asked(request(4, "threads"))
    assert asked["seq"] == 9
    assert resume.said(response(5, "threads")) == ([], [])
    ((), (answer,)) = resume.said(response(9, "threads", threads=[]))
    assert answer["request_seq"] == 4
    assert Resume(resume.dialogue).offset == 9


def test_breakpoints_of_the_new_debugger_are_kept(dialogue: Dialogue) -> None:
    dialogue.asked(request(5, "setFunctionBreakpoints", breakpoints=[{"name": "f"}]))
    resume = Resume(dialogue)
    resume.asked(request(1, "setBreakpoints", source={"path": "/p/a.py"}, breakpoints=[]))
    (there, _here) = resume.asked(request(2, "configurationDone"))
    assert names(there) == ["setFunctionBreakpoints"]


def test_live_children_ask_for_a_debugger_again(dialogue: Dialogue) -> None:
    alive, gone = os.getpid(), 0
    for number, pid in enumerate((alive, gone, alive)):
        dialogue.said(child(50 + number, pid))
    dialogue.asked(response(50, "startDebugging"))
    resume, _there, here = begun(dialogue)
    first, second = [each for each in here if each.get("command") == "startDebugging"]
    # debugpy has its answer to the first, so the second answer is igor's.
    assert first["seq"] > OWN
    assert resume.asked(response(first["seq"], "startDebugging")) == ([], [])
    assert second["seq"] == 52
    assert names(resume.asked(response(52, "startDebugging"))[0]) == ["startDebugging"]


def test_an_unreported_end_is_reported(dialogue: Dialogue) -> None:
    dialogue.said(event("terminated"))
    _revival, _there, here = begun(dialogue)
    assert names(here)[-1] == "terminated"


def test_a_changed_path_mapping_is_reported(dialogue: Dialogue) -> None:
    _revival, _there, here = begun(dialogue, justMyCode=True)
    (said,) = [each for each in here if each.get("event") == "output"]
    assert said["body"]["output"] == OTHER_VIEW


@pytest.mark.parametrize(
    "message",
    [
        request(1, "initialize", **{**CLIENT, "linesStartAt1": False}),
        request(1, "attach", **CLIENT),
    ],
)
def test_a_debugger_with_other_conventions_does_not_suit(
    dialogue: Dialogue, message: Message
) -> None:
    resume = Resume(dialogue)
    assert resume.suits(packed(json.dumps(request(1, "initialize", **CLIENT)).encode()))
    assert not resume.suits(packed(json.dumps(message).encode()))
    assert not resume.suits(packed(b"no JSON"))


def test_messages_come_in_any_pieces() -> None:
    data = packed(b'{"a": "\xc3\xbc"}') + packed(b"{}")
    messages = Messages()
    found = [body for byte in data for body in messages.feed(bytes([byte]))]
    assert found == [b'{"a": "\xc3\xbc"}', b"{}"]
    assert Messages(data[:10]).feed(data[10:]) == found
