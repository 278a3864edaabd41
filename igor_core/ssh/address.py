"""A host as a config names it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """What ssh_config calls Host, with overrides of its User and Port."""

    name: str
    user: str | None = None
    port: int | None = None

    def ssh_words(self) -> list[str]:
        """How ssh's own command line names it."""
        port = ["-p", str(self.port)] if self.port is not None else []
        return [*port, f"{self.user}@{self.name}" if self.user else self.name]
