"""The few errors that a user can meet. Each says what is wrong and, in `hint`, what to do.

Foreign errors are translated where they enter; anything that is not an IgorError is a bug.
"""

MOST_TOLD = 4000


class IgorError(Exception):
    """Something a user can understand and mend.

    `message` is one sentence naming the thing that is wrong (file, key, host);
    `hint` says what to do and may be empty.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(IgorError):
    """The command line, its arguments or the config are wrong; nothing was done."""

    exit_status = 2


class HostError(IgorError):
    """A host could not be reached or could not do its part.

    What is in the message may be the host's own words, of any length.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(_shortened(message), _shortened(hint))


class NeedsLogin(HostError):
    """The host asks a question (password, passphrase) and nobody is there to answer it."""


class AgentError(IgorError):
    """The agent can't be started or talked to."""

    exit_status = 255


class Cancelled(IgorError):
    """The user ended the job."""

    exit_status = 130


def _shortened(told: str) -> str:
    return told if len(told) <= MOST_TOLD else told[: MOST_TOLD - 1] + "…"
