"""The debug helper's command line (3.6).

serve --group G --id ID [--grace S] [--detach] [--subprocess] [--cwd DIR] [--env NAME=VALUE]…
      [--frames] [--file PATH [--sha256 HEX]] -- FILE|-m MODULE [ARGS…]
control --id ID | --group G [--frames] [--from POSITION]
relay --id ID
list [--group G]
stop --group G
install
"""

import json
import os
import sys

from igor_core.remote.debug_helper.controller import control, end_earlier, refuse, serve, write_all
from igor_core.remote.debug_helper.debuggee import install
from igor_core.remote.debug_helper.folder import HelperRefused, join_session, sessions_of
from igor_core.remote.debug_helper.frames import Frames, note
from igor_core.remote.debug_helper.relay import relay

SWITCHES = ("detach", "subprocess", "frames")
NUMBERS = {"grace": float, "from": int}


class HelperOptions:
    """The options on the command line."""

    def __init__(self, words):
        self.group = self.id = self.cwd = self.file = self.sha256 = self.python = ""
        self.grace = 0.0
        self.position = None
        self.detach = self.subprocess = self.frames = False
        self.env = []
        self.words = []
        words = list(words)
        while words:
            word = words.pop(0)
            if word == "--":
                self.words = words
                break
            self.take(word[2:] if word.startswith("--") else "", word, words)

    def take(self, name, word, words):
        if name in SWITCHES:
            setattr(self, name, True)
        elif name not in ("group", "id", "cwd", "file", "sha256", "env", "grace", "from"):
            raise HelperRefused("usage", "unknown argument %s" % word)
        elif not words:
            raise HelperRefused("usage", "%s needs a value" % word)
        elif name == "env":
            self.env.append(words.pop(0))
        else:
            value = NUMBERS.get(name, str)(words.pop(0))
            setattr(self, "position" if name == "from" else name, value)


def run(words):
    as_frames = "--frames" in words[: words.index("--") if "--" in words else None]
    try:
        verb, options = (words or [""])[0], HelperOptions(words[1:])
        if verb == "serve" and options.group and options.id and options.words:
            return serve(options)
        if verb == "control" and (options.id or options.group):
            return control(options)
        if verb == "relay" and options.id:
            return relay(options)
        if verb == "list":
            return show(options.group or None)
        if verb == "stop" and options.group:
            return end_earlier(options.group) or 0
        if verb == "install":
            return install()
        raise HelperRefused("usage", "expected serve, control, relay, list, stop or install")
    except HelperRefused as refused:
        return refuse(refused, as_frames)
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def show(group):
    """Print one line of JSON for each session."""
    for ident in sessions_of(group):
        frames = Frames()
        try:
            peer = join_session(ident)
            peer.settimeout(5)
            peer.sendall(note(do="list"))
            found = []
            while not found:
                data = peer.recv(1 << 16)
                if not data:
                    break
                found = frames.feed(data)
            for _kind, payload in found[:1]:
                write_all(1, json.dumps(json.loads(payload.decode("ascii"))).encode() + b"\n")
        except OSError:
            continue
    return 0


def main():
    status = run(sys.argv[1:])
    sys.stdout.flush()
    # Do not wait for threads: the bytes they read may never come.
    os._exit(status)
