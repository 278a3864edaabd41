"""Running the system's tools, with their own message in the error if one fails."""

import shlex
import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """The lab cannot be made, or is not in the state that a test asked for."""


def service_environment() -> dict[str, str]:
    """The environment of a host's own processes: nothing of the user's or the test's."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }


def run(argv: Sequence[str], **options: object) -> str:
    """Run to the end and return what it printed. Raises LabError with its stderr."""
    done = subprocess.run(argv, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"`{shlex.join(argv)}` ended with {done.returncode}: {said}")
    return str(done.stdout)
