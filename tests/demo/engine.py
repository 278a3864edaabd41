"""Whether the demo can have containers: an engine that answers, sees this machine's folders, and
has a small image with Python, or gets one within a minute. Said in one sentence either way.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: If the engine has none of these, the first is pulled; the demo removes it again.
IMAGES = ("python:3-alpine", "python:3-slim", "python:3")
#: Another image, for example from a mirror.
IMAGE_VARIABLE = "IGOR_DEMO_IMAGE"
ANSWER_SECONDS = 10.0
PULL_SECONDS = 60.0


@dataclass(frozen=True)
class Engine:
    """The engine to use; `image` is empty for `"runtime": "none"`. `reason` says why."""

    reason: str
    image: str = ""
    endpoint: str = ""
    pulled: bool = False

    @property
    def config(self) -> dict[str, object]:
        """The keys of the sample project's config that choose this engine."""
        if not self.image:
            return {"runtime": "none"}
        return {"runtime": "docker", "docker_build_args": {"BASE": self.image}}

    @property
    def environment(self) -> dict[str, str]:
        """The environment that leads the embedded host's docker client to the engine."""
        return {"DOCKER_HOST": self.endpoint} if self.image else {}

    def remove_pulled(self) -> None:
        if self.pulled:
            _docker("rmi", self.image)


def find_engine(folder: Path, say: Callable[[str], None]) -> Engine:
    """Ask the user's docker client. The engine must be able to mount `folder`."""
    if shutil.which("docker") is None:
        return Engine("docker is not installed here")
    endpoint = _endpoint()
    if not endpoint or _docker("info", "--format", "{{.ServerVersion}}") is None:
        return Engine("no docker engine answers here")
    image, pulled = _image(say)
    if not image:
        return Engine(f"the docker engine has no {IMAGES[0]} and can't pull it")
    engine = Engine(f"a docker engine answers here and has {image}", image, endpoint, pulled)
    if not _sees(image, folder):
        engine.remove_pulled()
        return Engine("the docker engine can't run Python on a folder of this machine")
    return engine


def _image(say: Callable[[str], None]) -> tuple[str, bool]:
    chosen = os.environ.get(IMAGE_VARIABLE)
    wanted = (chosen,) if chosen else IMAGES
    for image in wanted:
        if _docker("image", "inspect", image) is not None:
            return image, False
    say(f"pulling {wanted[0]} (at most {PULL_SECONDS:.0f} s; removed at the end)")
    if _docker("pull", "--quiet", wanted[0], seconds=PULL_SECONDS) is not None:
        return wanted[0], True
    return "", False


def _endpoint() -> str:
    """Where the user's docker client finds its engine: DOCKER_HOST or the current context."""
    shown = _docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    return os.environ.get("DOCKER_HOST") or (shown or "").strip()


def _sees(image: str, folder: Path) -> bool:
    """Whether a container can read a local folder and has Python."""
    mark = folder / "mark"
    mark.write_text("seen")
    mount = f"type=bind,source={folder},target=/probe,readonly"
    command: Sequence[str] = ["python3", "-c", "print(open('/probe/mark').read())"]
    said = _docker(
        "run", "--rm", "--pull=never", "--network=none", "--mount", mount, image, *command,
        seconds=PULL_SECONDS,
    )  # fmt: skip
    mark.unlink()
    return said is not None and said.strip() == "seen"


def _docker(*arguments: str, seconds: float = ANSWER_SECONDS) -> str | None:
    """What docker printed; None if it failed or took too long."""
    try:
        done = subprocess.run(
            ["docker", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
