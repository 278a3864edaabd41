"""The Python processes of a container, or of a project on a host (3.6)."""

import os
import re

_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*[a-z]*$")
# Launchers of several processes of one program pass each its rank.
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID", "IGOR_RANK")
# igor's own programs and debugpy's adapter are not the user's.
_OWN = ('"igor/', "/debug_helper.py", "debugpy/adapter", "debugpy.adapter")


def python_processes(tree):
    """Return all but igor's own, oldest first; with `tree` only this user's in that folder."""
    boot = boot_time()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            process = described(int(entry), boot)
            if process and is_wanted(process, tree):
                found.append(process)
    return sorted(found, key=lambda process: (process["started"], process["pid"]))


def is_wanted(process, tree):
    if not is_python(process) or is_own(process):
        return False
    return tree is None or belongs_to(process, tree)


def described(pid, boot):
    """Describe a process from /proc; None if it is gone or a zombie."""
    folder = "/proc/%d/" % pid
    stat = read_text(folder + "stat").rpartition(")")[2].split()
    if len(stat) < 20 or stat[0] in "ZXx":
        return None
    status = dict(line.partition(":")[::2] for line in read_text(folder + "status").splitlines())
    environ = read_text(folder + "environ").split("\0")
    variables = dict(item.partition("=")[::2] for item in environ)
    return {
        "pid": pid,
        "ppid": int(stat[1]),
        "argv": read_text(folder + "cmdline").split("\0")[:-1],
        "state": stat[0],
        "started": boot + int(stat[19]) / float(os.sysconf("SC_CLK_TCK")),
        "uid": int((status.get("Uid") or "-1").split()[0]),
        "exe": link(folder + "exe").replace(" (deleted)", ""),
        "cwd": link(folder + "cwd"),
        "rank": next((variables[name] for name in _RANKS if variables.get(name)), ""),
        "session": variables.get("IGOR_DEBUG_ID", ""),
        "remote_exec": not variables.get("PYTHON_DISABLE_REMOTE_DEBUG"),
    }


def is_python(process):
    """Whether the executable is Python; if that may not be read, judge by argv[0]."""
    first = process["argv"][0] if process["argv"] else ""
    return bool(_PYTHON.match(os.path.basename(process["exe"] or first)))


def is_own(process):
    return any(own in word[:200] for word in process["argv"][1:6] for own in _OWN)


def belongs_to(process, tree):
    """Whether this user runs it in the project's folder, or a program from it."""
    folders = {tree, os.path.realpath(tree)}
    paths = [process["cwd"]] + process["argv"][:3]
    inside = any((path + "/").startswith(folder + "/") for path in paths for folder in folders)
    return process["uid"] == os.getuid() and inside


def boot_time():
    """Return when the host was booted, in Unix time."""
    for line in read_text("/proc/stat").splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    return 0


def read_text(path):
    """Return the content of a file in /proc; "" if it is gone or may not be read."""
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
