"""The errors that a user can meet. Each says what is wrong and, in `hint`, what to do.

Errors of libraries become IgorErrors where they enter; any other error is a bug.
"""

MOST_TOLD = 4000
#: Exit status of igor's own failure where the other statuses are the program's; as ssh has it.
OWN_FAILURE = 255
CANCELLED = 130


class IgorError(Exception):
    """An error that the user can understand and fix.

    `message` is one sentence that names the thing that is wrong (file, key, host); `hint` says what
    to do and may be empty.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(IgorError):
    """The command line or the config is wrong; nothing was done."""

    exit_status = 2


class HostError(IgorError):
    """A host could not be reached, or could not do its part.

    The message may quote the host, so it is cut off at MOST_TOLD characters.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(_shortened(message), _shortened(hint))


class NeedsLogin(HostError):
    """A login fails until a person acts: answers a question, accepts a host key, loads a key, mends
    ssh_config. The same login tried again would only lock the account.
    """


class AgentError(IgorError):
    """The agent can't be started or doesn't answer."""

    exit_status = OWN_FAILURE


class Cancelled(IgorError):
    """The user cancelled the job."""

    exit_status = CANCELLED


def _shortened(told: str) -> str:
    return told if len(told) <= MOST_TOLD else told[: MOST_TOLD - 1] + "…"
