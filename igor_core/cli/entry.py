"""The program `igor`: from its arguments to its exit status, whatever happens between."""

import os
import signal
import sys

from igor_core.commands.parse import Invocation, parse
from igor_core.commands.recipe import load
from igor_core.errors import CANCELLED, OWN_FAILURE, IgorError


def main(arguments: list[str] | None = None) -> int:
    """Run `igor` with `arguments` (default: the program's own); return the exit status.

    0: done on all hosts, 1: failed on some, 2: wrong usage or config, 130: cancelled. A verb that
    runs a program on one host ends with the program's status, and with 255 if igor itself failed.
    """
    _open_missing()
    words = sys.argv[1:] if arguments is None else arguments
    invocation: Invocation | None = None
    try:
        invocation = parse(words)
        return _run(invocation)
    except IgorError as error:
        return _failed(invocation, words, error.message, error.hint, _status(invocation, error))
    except KeyboardInterrupt:
        return CANCELLED
    except BrokenPipeError:
        return _die_quietly()
    except Exception as error:
        from igor_core.cli import bug

        message, hint = bug.record(error, words)
        return _failed(invocation, words, message, hint, _status(invocation, IgorError("")))


def _run(invocation: Invocation) -> int:
    if invocation.verb is None:
        from igor_core.cli import help

        return help.run(invocation)
    status: int = load(f"igor_core.cli.{invocation.verb.terminal}")(invocation)
    return status


def _status(invocation: Invocation | None, error: IgorError) -> int:
    verb = invocation.verb if invocation else None
    if verb and verb.runs_program and error.exit_status == 1:
        return OWN_FAILURE  # 1 could be the program's own status
    return error.exit_status


def _failed(
    invocation: Invocation | None, words: list[str], message: str, hint: str, status: int
) -> int:
    from igor_core.cli import report

    as_json = bool(invocation.values.get("json")) if invocation else "--json" in words
    return report.failure(as_json, status, message, hint)


def _open_missing() -> None:
    """Reopen stdin, stdout and stderr if closed, so that no socket takes their descriptors."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _die_quietly() -> int:
    """End like any program that writes to a pipe without a reader."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    return OWN_FAILURE
