"""Running the system's tools, with their own words in the error when one fails."""

import shlex
import subprocess
from collections.abc import Sequence


class LabError(Exception):
    """The lab can't be made, or is not in the state that was asked of it."""


def service_environment() -> dict[str, str]:
    """What a host's own processes get: nothing of the person's or the test's surroundings."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }


def run(argv: Sequence[str], **options: object) -> str:
    """Run to the end and return what it printed; LabError with its stderr otherwise."""
    done = subprocess.run(argv, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"`{shlex.join(argv)}` ended with {done.returncode}: {said}")
    return str(done.stdout)
