"""For tests of ssh: hosts as igor connects to them, and the user's ssh files."""

import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from igor_core.ssh.address import Address
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login


class Asked:
    """Answer login questions from a list, and record them."""

    def __init__(self, *answers: str | None) -> None:
        self.questions: list[tuple[str, str, bool]] = []
        self._answers = list(answers)

    async def ask(self, host: str, text: str, echo: bool) -> str | None:
        self.questions.append((host, text, echo))
        return self._answers.pop(0) if self._answers else None

    def login(self, env: Mapping[str, str] | None = None) -> Login:
        return Login(self.ask, env or {})


@contextlib.asynccontextmanager
async def connected(
    address: Address | str, login: Login | None = None
) -> AsyncIterator[RemoteHost]:
    """Log in to the host; close the connection at the end."""
    host = RemoteHost(Address(address) if isinstance(address, str) else address)
    try:
        await host.connect(login or Login())
        yield host
    finally:
        host.close()


async def hostname(address: Address | str, login: Login | None = None) -> str:
    async with connected(address, login) as host:
        return (await host.run(["hostname"])).stdout.decode().strip()


def configure(home: Path, text: str) -> None:
    """Put lines before the user's ssh_config: the first value counts."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    config = folder / "config"
    rest = config.read_text() if config.exists() else ""
    config.write_text(f"{text}\nHost *\n{rest}")


def make_key(path: Path, passphrase: str = "") -> str:
    """Create a key and return its public part."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return path.with_name(path.name + ".pub").read_text()


@contextlib.contextmanager
def ssh_agent(home: Path, name: str, *keys: Path) -> Iterator[dict[str, str]]:
    """Start a real ssh-agent that holds these keys; return the environment that refers to it."""
    socket = home / f"{name}.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None
        env = {"SSH_AUTH_SOCK": str(socket)}
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True, capture_output=True)
        yield env
    finally:
        agent.terminate()
        agent.wait()
