"""Starts a contestant's commands from inside of its control group, and says when they have ended.

Moving a process into a control group can take 17 ms, so the one that starts the others is moved
once, before anything is timed. It is a program of its own: it knows nothing of the benchmark.

usage: launcher.py, then one line of JSON on standard input for each start, with `commands` (lists
of words, all run at once) and `cwd`. It answers each with a line: `statuses`, `said` (the ends of
their outputs) and `cpu_ns` (of all commands that have ended so far).
"""

import json
import resource
import subprocess
import sys
import tempfile

SAID = 2000


def run(commands: "list[list[str]]", cwd: str) -> "tuple[list[int], str]":
    with tempfile.TemporaryFile() as output:
        running = [
            subprocess.Popen(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            for words in commands
        ]
        statuses = [process.wait() for process in running]
        output.seek(0)
        return statuses, output.read().decode(errors="replace")[-SAID:]


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        statuses, said = run(order["commands"], order["cwd"])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_ns = int((used.ru_utime + used.ru_stime) * 1e9)
        print(json.dumps({"statuses": statuses, "said": said, "cpu_ns": cpu_ns}), flush=True)


if __name__ == "__main__":
    main()
