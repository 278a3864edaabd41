"""The names of images and containers on hosts, and the labels that say whose they are."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

#: An image's name may have 255 characters; a container's shows in prompts and tables.
MAX_LENGTH = 128
_HASH_LENGTH = 8

IMAGE_PROJECT = "igor.image.project"
IMAGE_USER = "igor.image.user"
IMAGE_STAMP = "igor.image.stamp"
IMAGE_INPUTS = "igor.image.inputs"
CONTAINER_PROJECT = "igor.container.project"
CONTAINER_USER = "igor.container.user"
CONTAINER_GROUP = "igor.container.group"
CONTAINER_CONFIG = "igor.container.config"
#: Which folders of the host the container was created with: their inodes and birth times.
CONTAINER_FOLDERS = "igor.container.folders"


@dataclass(frozen=True)
class Owner:
    """Whose a container is: the names as configured, before they are made valid for the engine."""

    user: str
    project: str
    group: str

    @property
    def container(self) -> str:
        return valid_name(self.user, self.project, self.group)

    @property
    def image(self) -> str:
        return valid_name(self.user, self.project)

    @property
    def image_labels(self) -> dict[str, str]:
        """Labels of an image. Containers inherit them, so they don't say whose a container is."""
        return {IMAGE_PROJECT: label(self.project), IMAGE_USER: label(self.user)}

    @property
    def container_labels(self) -> dict[str, str]:
        return {
            CONTAINER_PROJECT: label(self.project),
            CONTAINER_USER: label(self.user),
            CONTAINER_GROUP: label(self.group),
        }

    def owns(self, labels: Mapping[str, str]) -> bool:
        """Whether a container with these labels is this owner's."""
        return self.container_labels.items() <= labels.items()

    def owns_image(self, labels: Mapping[str, str]) -> bool:
        return self.image_labels.items() <= labels.items()

    def notice(self) -> str:
        """Return one sentence if the engine needs another name, else nothing."""
        if self.container == f"{self.user}-{self.project}-{self.group}":
            return ""
        name = label(self.project)
        return f"'{name}' is not a valid name for the engine; igor uses {self.container}"


def valid_name(*parts: str) -> str:
    """Return a name that is valid for images and containers: `a-b-c`, of [a-z0-9._-].

    The rule is the stricter one, that of a repository's path component: letters and digits,
    separated by one '.', one or two '_' or any number of '-'. Different parts can give the same
    name; labels tell those apart.
    """
    name = "-".join(_component(part) for part in parts)
    if len(name) > MAX_LENGTH:
        name = name[: MAX_LENGTH - _HASH_LENGTH - 1].rstrip("._-") + "-" + _hash(*parts)
    return name


def label(value: str) -> str:
    """Return a name as a label can hold it: without line breaks, and valid UTF-8."""
    readable = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in readable)


def _component(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9._-]+", "-", plain)
    plain = re.sub(r"(?!__(?![._-])|-+(?![._]))(?<![._-])[._-]{2,}", "-", plain)
    return plain.strip("._-") or _hash(text)


def _hash(*parts: str) -> str:
    data = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()[:_HASH_LENGTH]
