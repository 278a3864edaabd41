"""What a project's container on one host must be like."""

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from igor_core.config import Host, Project
from igor_core.container.names import CONTAINER_CONFIG, Owner
from igor_core.errors import UsageError
from igor_core.paths import RUN_FOLDER, HostPaths
from igor_core.runtime import RESERVED_RUN_OPTIONS, CreateOptions, Runtime
from igor_core.ssh.account import HostAccount

#: HOME in a container that runs as the host's user. Writable; survives the container.
HOME = "/home/igor"


@dataclass(frozen=True)
class Spec:
    """One project's container on one host.

    `tree`, `private` (igor's own), `home` and `run` are folders of the host.
    """

    owner: Owner
    tree: str
    private: str
    home: str
    run: str
    workspace: str
    run_as: Literal["user", "image"]
    uid: int
    gid: int
    login: str
    env: Mapping[str, str]
    run_args: Sequence[str]

    def options(self, runtime: Runtime, rootless: bool, image_id: str) -> CreateOptions:
        """Return what `create` needs; its label igor.container.config is a digest of the rest."""
        options = CreateOptions(
            name=self.owner.container,
            image=self.owner.image,
            labels=self.owner.container_labels,
            mounts=self._mounts(),
            read_only={RUN_FOLDER: self.run},
            env=self._env(),
            workdir=self.workspace,
            user=self._user(runtime, rootless),
            userns="keep-id" if self._keeps_id(runtime, rootless) else "",
            label_file=self.label_file,
            extra=self.run_args,
        )
        words = json.dumps([image_id, runtime.described(options)])
        digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
        return replace(options, labels={**options.labels, CONTAINER_CONFIG: digest})

    @property
    def folders(self) -> list[str]:
        """The folders of the host that are mounted."""
        return [self.tree, self.run, *([self.home] if self.run_as == "user" else [])]

    @property
    def label_file(self) -> str:
        """A file on the host, while the container is created: which folders it gets."""
        return posixpath.join(self.private, f"labels-{self.owner.container}")

    def _mounts(self) -> dict[str, str]:
        home = {HOME: self.home} if self.run_as == "user" else {}
        return {self.workspace: self.tree, **home}

    def _env(self) -> dict[str, str]:
        if self.run_as == "image":
            return dict(self.env)
        # The user may have no line in the image's /etc/passwd; Python's getpass reads these.
        return {"HOME": HOME, "USER": self.login, "LOGNAME": self.login, **self.env}

    def _keeps_id(self, runtime: Runtime, rootless: bool) -> bool:
        return self.run_as == "user" and rootless and runtime.word == "podman"

    def _user(self, runtime: Runtime, rootless: bool) -> str:
        """Return the user in the container whose files on the mount the host's login user owns."""
        if self.run_as == "image":
            return ""
        if rootless and runtime.word == "docker":
            return "0:0"
        return f"{self.uid}:{self.gid}"


def spec_of(
    project: Project, host: Host, group: str, account: HostAccount, paths: HostPaths
) -> Spec:
    """Return what the config asks of a project's container on a host.

    Raises UsageError for an option in docker_run_args that only igor may set.
    """
    config = project.config
    _check_run_args(config.docker_run_args)
    return Spec(
        owner=Owner(config.user, project.name, group),
        tree=paths.tree,
        private=paths.private,
        home=posixpath.join(paths.private, "home"),
        run=paths.run,
        workspace=config.workspace,
        run_as=config.run_as,
        uid=account.uid,
        gid=account.gid,
        login=account.user,
        env=host.env,
        run_args=config.docker_run_args,
    )


def _check_run_args(arguments: Sequence[str]) -> None:
    for place, argument in enumerate(arguments):
        option = argument.split("=", 1)[0]
        if option in RESERVED_RUN_OPTIONS:
            raise UsageError(
                f"docker_run_args[{place}]: only igor may set {option}",
                "remove it from the config",
            )
