"""A job's output for programs: one JSON object per line, the outcome last."""

import codecs
import json
from typing import Any

from igor_core.cli.outlet import STDOUT, Outlet
from igor_core.cli.text import utf8


class JsonLines:
    """Writes events as they come. Output is text: bytes that are not UTF-8 become `\\xff`."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._decoders: dict[tuple[str, str], codecs.IncrementalDecoder] = {}

    def event(self, event: dict[str, Any]) -> None:
        if event["type"] == "output":
            event = {**event, "data": self._text(event)}
            if not event["data"]:
                return  # the first bytes of a character; the others are still to come
        self._line(event)

    def finished(self, verb: str, outcome: dict[str, Any]) -> None:
        for (host, stream), decoder in self._decoders.items():
            rest = decoder.decode(b"", True)
            if rest:
                self._line({"type": "output", "host": host, "stream": stream, "data": rest})
        self._line({"type": "finished", **outcome})

    def hide(self) -> None:
        """Do nothing: a question is asked on the terminal, and lines on stdout can stay."""

    def say(self, text: str) -> None:
        """Do nothing: text for people has no place in JSON lines."""

    def tick(self) -> float | None:
        return None

    def _text(self, event: dict[str, Any]) -> str:
        key = event["host"], event["stream"]
        if key not in self._decoders:
            self._decoders[key] = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        return self._decoders[key].decode(event["data"])

    def _line(self, value: dict[str, Any]) -> None:
        self._outlet.lines(STDOUT, [json.dumps(utf8(value))])
