"""What a user is told when a host fails a push."""

from igor_core.errors import HostError


def connection_lost(host: str, broken: str = "") -> HostError:
    """The connection ended in the middle; `broken`: how the host broke the protocol, if it did."""
    why = f": {broken}" if broken else ""
    return HostError(
        f"the connection to {host} was lost during the push{why}",
        "no file is half-written; push again",
    )


def claimed(host: str, tree: str, owner: str) -> HostError:
    """Another clone pushes to the tree."""
    return HostError(
        f"{host}: another clone pushes to {tree}: {owner}",
        'set another "project" name in this clone\'s config, or take the tree over: '
        "igor push --take-over",
    )


def hint_for(reason: str) -> str:
    """What to do about an error of a program on the host."""
    if "ermission denied" in reason or "Read-only" in reason:
        return 'does "dir" in the config name a folder that you may write?'
    if "No space left" in reason:
        return "free space on that file system"
    if "quota" in reason:
        return "your quota on the host is used up; free some space"
    return "find the cause: igor doctor"
