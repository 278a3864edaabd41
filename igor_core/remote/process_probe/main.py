"""The probe's command line: one line of JSON in, one out (3.6).

In: "tree", a folder, for this user's processes that run in it, or null for all in a container;
"pids", or null for all; "stacks", whether to read them; "means", whether to find out what a
debugger needs to attach. Out: "processes", "root_may" and "uid".
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


def probe(wanted):
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
    """Whether the process was read, or at least still runs."""
    return "threads" in process or os.path.exists("/proc/%d" % process["pid"])


def read_stack(process, program):
    """Read via py-spy; else "problem" is a word for the reason, "said" py-spy's message."""
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
    """Have the process write its stacks, if it is registered."""
    path = file_of(process["pid"])
    if not path:
        return
    threads, said = threads_by_dump(process, path)
    if threads is None:
        process["problem"], process["said"] = "silent", said
    else:
        process["threads"], process["by"] = threads, "faulthandler"


def main():
    print(json.dumps(probe(json.loads(sys.argv[1]))))
