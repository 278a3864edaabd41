"""A host as the config names it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A Host of ssh_config, with optional overrides of its User and Port."""

    name: str
    user: str | None = None
    port: int | None = None

    def ssh_words(self) -> list[str]:
        """Return the host as words of ssh's command line."""
        port = ["-p", str(self.port)] if self.port is not None else []
        return [*port, f"{self.user}@{self.name}" if self.user else self.name]
