"""The keeper: a daemon that owns the program, its output and its end (3.6).

Peers connect to the unix socket; their first note says what they are ("do"):

    control  the client's end: gets notes and output, sends input, "seen" (all output up to a
             position), "stop", "close" and "release". Only the latest one counts; earlier ones are
             dropped. Without one the `grace` time runs.
    relay    after "connect" gets debugpy's port as soon as debugpy listens, or the parked
             connection. Told to "yield" when another control has come. Then, or when its debugger
             is cut off, it hands over its connection to be parked ("park").
    list     gets the session's state.
    stop     asks for the program's end; its connection closes when all is over.

Notes to a control ("event"): "session" (its state; again when debugpy is "listening"), "dropped"
(bytes of output that were not kept), "parked" (a debugger is gone; a control that is still
connected answers "release": it left on purpose), "exited" (status, 128 + n for signal n; why),
"over" (left: processes that could not be ended).
"""

import json
import os
import shutil
import signal
import time

from igor_core.remote.debug_helper.debuggee import port_of, start
from igor_core.remote.debug_helper.debugger_connections import DebuggerConnections
from igor_core.remote.debug_helper.env_marks import MARK_ID, end_marked, listens, send
from igor_core.remote.debug_helper.frames import EOF, NOTE, STDERR, STDIN, STDOUT, frame, note
from igor_core.remote.debug_helper.output_tail import KEPT_BYTES

POLL_SECONDS = 0.01
LISTEN_SECONDS = 60.0
FIRST_SECONDS = 10.0
# Between TERM and KILL.
PATIENCE_SECONDS = 1.0
# For debugpy to tell its clients that the program has ended.
LINGER_SECONDS = 2.0
# How long the outcome is kept for a client to come back.
OUTCOME_SECONDS = 60.0


class Keeper(DebuggerConnections):
    """Runs the program to its end. `phase` is "starting", "listening", then "exited"."""

    def __init__(self, options, folder, listener):
        DebuggerConnections.__init__(self, listener)
        self.options = options
        self.folder = folder
        self.grace = None if options.detach else options.grace
        self.seen = 0
        self.controls = 0
        self.phase = "starting"
        self.exit = None
        self.why = ""
        self.told = 0
        self.close_asked = False
        self.kill_at = None
        self.alone_since = self.began = time.monotonic()
        self.ended_at = 0.0

    def run(self):
        try:
            self.process = start(self.options, self.folder)
        except OSError as error:
            self.finish(126, "it could not be started: %s" % error)
        else:
            pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
            for pipe in pipes:
                os.set_blocking(pipe.fileno(), False)
            self.outputs = {pipes[1].fileno(): STDOUT, pipes[2].fileno(): STDERR}
        while not self.is_over():
            self.turn()
        # From here on clients must not find the session.
        shutil.rmtree(self.folder, ignore_errors=True)
        left = end_marked(MARK_ID, self.options.id, PATIENCE_SECONDS)
        if self.control is not None:
            self.control.outbox += note(event="over", left=left)
            self.control.connection.settimeout(2.0)
            try:
                self.control.connection.sendall(self.control.outbox)
            except OSError:
                pass

    def is_over(self):
        """Whether the program has ended, and its clients know or have had the time to."""
        if self.phase != "exited":
            return False
        now = time.monotonic()
        if self.control is None:
            limit = OUTCOME_SECONDS if self.grace is None else min(self.grace, OUTCOME_SECONDS)
            return now - max(self.alone_since, self.ended_at) >= limit
        if self.told < 2 or self.control.outbox:
            return False
        has_relays = any(peer.role == "relay" for peer in self.peers)
        return self.close_asked or not has_relays or now - self.ended_at >= LINGER_SECONDS

    def turn(self):
        self.watch()
        quick = self.phase == "starting" or self.kill_at is not None
        for key, mask in self.selector.select(POLL_SECONDS if quick else 0.25):
            self.handle(key.fd, mask)
        self.check_listening()
        self.answer_relays()
        self.reap()
        self.count_down()
        self.feed_control()

    # -- the program

    def check_listening(self):
        if self.phase != "starting":
            return
        port = port_of(self.folder)
        if port and listens(port):
            self.phase, self.port = "listening", port
            self.tell(event="session", **self.facts())
        elif time.monotonic() - self.began > LISTEN_SECONDS:
            self.stop("debugpy did not listen within %d s" % LISTEN_SECONDS)

    def reap(self):
        if self.phase == "exited" or self.process.poll() is None:
            return
        # Read only what is there: background children may keep the pipes open for ever.
        for descriptor in list(self.outputs):
            left = KEPT_BYTES
            while left > 0 and descriptor in self.outputs:
                count = self.read_output(descriptor)
                left -= count
                if not count:
                    break
        code = self.process.returncode
        self.finish(code if code >= 0 else 128 - code, self.why)

    def finish(self, status, why):
        self.phase, self.exit, self.why = "exited", status, why
        self.ended_at = time.monotonic()
        self.kill_at = None

    def count_down(self):
        now = time.monotonic()
        if self.phase == "exited":
            return
        if self.kill_at is not None:
            if now >= self.kill_at:
                send(self.process.pid, signal.SIGKILL)
        elif self.control is None and self.grace is not None:
            # Its first control is about to connect.
            grace = self.grace if self.controls else max(self.grace, FIRST_SECONDS)
            if now - self.alone_since >= grace:
                self.stop("no client came back within %g s" % self.grace)

    def stop(self, why):
        # If it has just ended by itself, keep that reason.
        self.reap()
        if self.phase != "exited" and self.kill_at is None:
            self.why = why
            self.kill_at = time.monotonic() + PATIENCE_SECONDS
            send(self.process.pid, signal.SIGTERM)

    # -- peers

    def facts(self):
        words = self.options.words
        return {
            "id": self.options.id,
            "group": self.options.group,
            "pid": self.process.pid if self.process else 0,
            "port": self.port,
            "phase": self.phase,
            "command": words,
            "python": self.options.python,
            "root": os.path.realpath("."),
            "alone": self.control is None,
        }

    def on_frame(self, peer, kind, payload):
        if kind == NOTE:
            self.on_note(peer, json.loads(payload.decode("ascii")))
        elif peer is self.control and kind == STDIN:
            self.input += payload
        elif peer is self.control and kind == EOF:
            self.input_ends = True

    def on_gone(self, peer):
        if peer is self.control:
            self.control = None
            self.alone_since = time.monotonic()

    def on_note(self, peer, said):
        what = said.get("do")
        if what == "control":
            self.take_over(peer, said.get("from"))
        elif what == "relay":
            peer.role = what
        elif what == "connect":
            peer.wants_port = True
        elif what == "park" and self.phase == "listening" and self.grace:
            # Without a grace time the program does not outlive its debugger.
            self.park(peer, said)
        elif what == "list":
            peer.outbox += note(**self.facts())
        elif what == "stop":
            self.stop(said.get("why") or "it was asked for")
        elif what == "seen" and peer is self.control:
            # The next control gets what comes after this.
            self.seen = said["position"]
        elif what == "release":
            self.release(peer)
        elif what == "close":
            self.close_asked = True

    def take_over(self, peer, position):
        if self.control is not None:
            self.drop(self.control)
        if self.controls:
            # The relays belong to a client that is gone.
            self.make_way()
        self.controls += 1
        self.control, peer.role = peer, "control"
        self.told = 0
        self.close_asked = False
        wanted = self.seen if position is None else min(position, self.output.end)
        self.position = max(wanted, self.output.first)
        self.tell(event="session", position=self.position, **self.facts())
        if self.position > wanted:
            self.tell(event="dropped", bytes=self.position - wanted)

    def feed_control(self):
        """Send the next piece of output when the last is sent; the exit after all of it."""
        peer = self.control
        if peer is None or peer.outbox:
            return
        at, kind, data = self.output.after(self.position)
        if data:
            self.position = at + len(data)
            peer.outbox += frame(kind, data)
        elif self.phase == "exited" and self.told < 1:
            self.told = 1
            self.tell(event="exited", status=self.exit, why=self.why, listened=bool(self.port))
        elif self.phase == "exited":
            self.told = 2
        if peer.outbox:
            self.flush(peer)
