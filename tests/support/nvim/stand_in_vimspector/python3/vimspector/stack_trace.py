"""The class whose list all sessions share, as in Vimspector itself."""

from typing import Any, ClassVar


class Session:
    pending_thread_requests: ClassVar[list[Any]] = []

    def __init__(self, session: Any) -> None:
        self.session = session
