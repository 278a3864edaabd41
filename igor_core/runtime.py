"""The command lines of Docker (20.10 or later) and Podman (4 or later), as argument lists.

A command to which variables are given finds their values in its environment, see environment.py.
Nothing is run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from igor_core.env_variables import concealed, taking_apart
from igor_core.errors import UsageError

#: Keeps a container running. Debian's and busybox's `sleep` both take this many seconds (68 years);
#: not every `sleep` takes "infinity".
KEEP_ALIVE = "sleep 2147483647"

#: `exec --tty` swallows these keys. To docker an empty list means ctrl-p ctrl-q, so this is a
#: sequence that nobody types; its first key reaches the program along with the next one.
DETACH_KEYS = "ctrl-^,ctrl-@,ctrl-_,ctrl-@"

#: Options of `run` that igor sets: with another value it would lose the container.
RESERVED_RUN_OPTIONS = frozenset({"--name", "--entrypoint", "--detach", "-d", "--pull"})


@dataclass(frozen=True)
class BuildOptions:
    """How to build an image from a tar on standard input; `dockerfile` is a path in the tar."""

    dockerfile: str
    tag: str
    labels: Mapping[str, str]
    args: Mapping[str, str]
    no_cache: bool = False


@dataclass(frozen=True)
class CreateOptions:
    """How a container is created. Empty `user` and `userns` leave it to the image and the engine.

    `mounts` and `read_only` map paths in the container to folders of the host; `label_file` is a
    file there with more labels.
    """

    name: str
    image: str
    labels: Mapping[str, str]
    mounts: Mapping[str, str]
    env: Mapping[str, str]
    workdir: str
    label_file: str
    read_only: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    userns: str = ""
    extra: Sequence[str] = ()


@dataclass(frozen=True)
class Runtime:
    """The command line of one container engine."""

    word: Literal["docker", "podman"]

    def info(self) -> list[str]:
        """Return the command whose output `is_rootless` reads."""
        field = "{{json .SecurityOptions}}"
        if self.word == "podman":
            field = "{{.Host.Security.Rootless}}"
        return [self.word, "info", "--format", field]

    def is_rootless(self, info: bytes) -> bool:
        """Return whether the engine runs as a normal user, from the output of `info`."""
        if self.word == "podman":
            return info.strip() == b"true"
        return b"name=rootless" in info

    def image_inspect(self, images: Sequence[str]) -> list[str]:
        return [self.word, "image", "inspect", *images]

    def container_inspect(self, containers: Sequence[str]) -> list[str]:
        return [self.word, "container", "inspect", *containers]

    def containers_with_label(self, label: str) -> list[str]:
        """Return the command that lists the ids of all containers with a label, one per line."""
        return [self.word, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}"]

    def images_with_label(self, label: str) -> list[str]:
        """Return the command that lists the ids of all images with a label, one per line."""
        return [self.word, "images", "--quiet", "--no-trunc", "--filter", f"label={label}"]

    def build(self, options: BuildOptions) -> list[str]:
        command = [self.word, "build", "--file", options.dockerfile, "--tag", options.tag]
        command += _pairs("--label", options.labels)
        command += _variables("--build-arg", options.args)
        command += ["--no-cache"] if options.no_cache else []
        return taking_apart(options.args, [*command, "-"])

    def tag(self, image: str, name: str) -> list[str]:
        return [self.word, "tag", image, name]

    def create(self, options: CreateOptions) -> list[str]:
        """Create a container that, once started, waits for `exec`.

        `extra` follows igor's own options, and wins where the engine lets the last one win. Never
        pulls: an image of this name in a registry is someone else's.
        """
        return taking_apart(options.env, self._create(options, _variables("--env", options.env)))

    def described(self, options: CreateOptions) -> list[str]:
        """Return the words of `create` with all values in them: to compare, not to run."""
        return self._create(options, _pairs("--env", options.env))

    def _create(self, options: CreateOptions, env: Sequence[str]) -> list[str]:
        command = [self.word, "create", "--pull=never", "--init", "--name", options.name]
        command += _pairs("--label", options.labels)
        command += ["--label-file", options.label_file]
        command += ["--userns", options.userns] if options.userns else []
        command += ["--user", options.user] if options.user else []
        for target, source in options.mounts.items():
            command += ["--mount", _bind(source, target)]
        for target, source in options.read_only.items():
            command += ["--mount", _bind(source, target) + ",readonly"]
        command += env
        command += ["--workdir", options.workdir, "--entrypoint", "sh", *options.extra]
        return [*command, options.image, "-c", f"exec {KEEP_ALIVE}"]

    def start(self, container: str) -> list[str]:
        return [self.word, "start", container]

    def logs(self, container: str) -> list[str]:
        return [self.word, "logs", container]

    def remove(self, containers: Sequence[str]) -> list[str]:
        """Remove containers, running ones too, but not their anonymous volumes."""
        return [self.word, "rm", "--force", *containers]

    def remove_images(self, images: Sequence[str]) -> list[str]:
        """Untag images; an unused image without a tag is removed."""
        return [self.word, "rmi", *images]

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = True,
        tty: bool = False,
        env: Mapping[str, str] | None = None,
        workdir: str = "",
        user: str = "",
    ) -> list[str]:
        """Run a command in a running container, as the container's user or as `user`.

        Raises UsageError for a word that is not UTF-8: the engine would replace its bytes, and
        the command perhaps use another file.
        """
        self._check_is_text(command)
        words = [self.word, "exec"]
        words += ["--interactive"] if stdin else []
        words += ["--tty", "--detach-keys", DETACH_KEYS] if tty else []
        words += _variables("--env", env or {})
        words += ["--workdir", workdir] if workdir else []
        words += ["--user", user] if user else []
        return taking_apart(env or {}, [*words, container, *command])

    def _check_is_text(self, command: Sequence[str]) -> None:
        for word in command:
            try:
                word.encode()
            except UnicodeEncodeError:
                told = repr(word.encode("utf-8", "surrogateescape"))[2:-1]
                raise UsageError(
                    f"{self.word} can't pass {told} into a container: it is not UTF-8",
                    "rename the file",
                ) from None

    def throw_away(self, image: str, script: str, argument: str) -> list[str]:
        """Run a shell script in a new container without network, and remove the container."""
        command = [self.word, "run", "--rm", "--pull=never", "--network", "none"]
        return [*command, "--entrypoint", "sh", image, "-c", script, "igor", argument]

    def top(self, container: str) -> list[str]:
        """List the processes of a container after a header: id on the host and command."""
        fields = ["-o", "pid,args"] if self.word == "docker" else ["hpid", "args"]
        return [self.word, "top", container, *fields]


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]


def _variables(option: str, values: Mapping[str, str]) -> list[str]:
    """Pass variables; secret ones by name alone, with the value in the command's environment."""
    hidden = concealed(values)
    words = [(option, name if name in hidden else f"{name}={values[name]}") for name in values]
    return [word for pair in words for word in pair]


def _bind(source: str, target: str) -> str:
    """Return a bind mount, which the engines read as CSV. They refuse a missing source."""
    fields = ("type=bind", f"source={source}", f"target={target}")
    return ",".join(_csv(field) for field in fields)


def _csv(field: str) -> str:
    if not any(mark in field for mark in ',"\n\r'):
        return field
    return '"' + field.replace('"', '""') + '"'
