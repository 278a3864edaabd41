"""One line of JSON in, one out: what Python processes are there, and what they do (3.6).

In: "tree", a folder, where only this user's processes there are meant, null in a container;
"pids", null for all; "stacks", whether to read them; "means", whether to say what a debugger would
need to attach. Out: "processes", "py_spy" (where that is),
"root_may", "uid", "python" (version of the one that says all this).
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from igor_core.remote.process_probe.access import root_may, why_denied
from igor_core.remote.process_probe.dumps import file_of, threads_by_dump
from igor_core.remote.process_probe.means import means_for
from igor_core.remote.process_probe.processes import python_processes
from igor_core.remote.process_probe.py_spy import find_py_spy, threads_by_py_spy

AT_ONCE = 4


def look(wanted):
    found = python_processes(wanted["tree"])
    if wanted["pids"] is not None:
        found = [process for process in found if process["pid"] in wanted["pids"]]
    program = find_py_spy()
    for process in found if wanted["means"] else ():
        process["means"] = means_for(process)
    if wanted["stacks"]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda process: read_stack(process, program), found))
        for process in found:
            if "threads" not in process:
                read_dump(process)
    return {
        "processes": [process for process in found if is_there(process)],
        "root_may": root_may(),
        "uid": os.geteuid(),
    }


def is_there(process):
    """One that has ended meanwhile is nobody's trouble."""
    return "threads" in process or os.path.exists("/proc/%d" % process["pid"])


def read_stack(process, program):
    """By py-spy, or why not: "problem" is a word, "said" what it said."""
    process["registered"] = bool(file_of(process["pid"]))
    if not program:
        process["problem"] = "no py-spy"
        return
    threads, said = threads_by_py_spy(program, process["pid"])
    if threads is None:
        process["problem"], process["said"] = why_denied(process) or "py-spy", said
    else:
        process["threads"], process["by"] = threads, "py-spy"


def read_dump(process):
    """By the process itself, where it is registered."""
    path = file_of(process["pid"])
    if not path:
        return
    threads, said = threads_by_dump(process, path)
    if threads is None:
        process["problem"], process["said"] = "silent", said
    else:
        process["threads"], process["by"] = threads, "faulthandler"


def main():
    print(json.dumps(look(json.loads(sys.argv[1]))))
