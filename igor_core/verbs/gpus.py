"""gpus: show each host's GPUs from nvidia-smi: memory, load, and whose processes use them."""

import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from igor_core.container.inspection import objects
from igor_core.container.shell import batch
from igor_core.environment import Environment
from igor_core.errors import HostError, IgorError
from igor_core.events import Outcome
from igor_core.quantities import size
from igor_core.ssh.process import Completed
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of

_NOT_INSTALLED = 127
_NO_DEVICES = 6  # nvidia-smi's status where the driver finds no GPU
_CONTAINER = re.compile(r"[0-9a-f]{64}")

# Prints a line per GPU, an empty line, then for each process that computes on one its line, its
# user and its control group, each on a line of its own.
_ASK = """\
command -v nvidia-smi >/dev/null || exit 127
nvidia-smi --query-gpu=index,uuid,memory.used,memory.total,utilization.gpu,name \
    --format=csv,noheader,nounits || exit
echo
nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory,process_name \
    --format=csv,noheader,nounits |
while IFS= read -r line; do
    pid=${line#*, }
    pid=${pid%%,*}
    printf '%s\\n' "$line"
    stat -c %U "/proc/$pid" 2>/dev/null || echo
    tr '\\n' ' ' <"/proc/$pid/cgroup" 2>/dev/null
    echo
done
"""


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on a GPU; `memory` is in bytes, None if nvidia-smi doesn't tell.

    `container` is the name of the container that it runs in, else the start of its id; "" on the
    host itself. `user` is "" if the host does not show the process.
    """

    pid: int
    name: str
    user: str
    memory: int | None
    container: str


@dataclass(frozen=True)
class Gpu:
    """A GPU: memory in bytes, `load` in percent; None if the driver does not tell."""

    index: int
    name: str
    memory_used: int | None
    memory_total: int | None
    load: int | None
    processes: list[GpuProcess] = field(default_factory=list)

    def text(self) -> str:
        used, total = (_told(each) for each in (self.memory_used, self.memory_total))
        load = "?" if self.load is None else self.load
        users = [_process_text(process) for process in self.processes]
        return "\n".join([f"{self.index}  {self.name}  {used} of {total}  {load} %", *users, ""])


async def gpus(job: Job, context: Context) -> Outcome:
    """List the GPUs of each host. The data is {"hosts": [{"host", "gpus"}]}."""
    targets = targets_of(job, context)
    found: dict[str, list[Gpu]] = {}

    async def on(target: Target) -> Done:
        found[target.name] = await _gpus_of(await target.connect())
        for gpu in found[target.name]:
            await target.job.output(target.name, "stdout", gpu.text().encode("utf-8", "replace"))
        return Done("" if found[target.name] else "no GPU: nvidia-smi finds none")

    outcome = await each(targets, on)
    hosts = [
        {"host": target.name, "gpus": [asdict(gpu) for gpu in found.get(target.name, ())]}
        for target in targets
    ]
    return Outcome(outcome.status, results=outcome.results, data={"hosts": hosts})


async def _gpus_of(environment: Environment) -> list[Gpu]:
    done = await environment.remote.run(["sh", "-c", _ASK], env=environment.entry.env)
    if done.status in (_NOT_INSTALLED, _NO_DEVICES):
        return []
    if done.status != 0:
        raise HostError(f"nvidia-smi failed on {environment.name}: {_said(done)}")
    text = os.fsdecode(done.stdout)
    names = await _container_names(environment, sorted(set(_CONTAINER.findall(text))))
    return parse(text, names)


async def _container_names(environment: Environment, ids: Sequence[str]) -> dict[str, str]:
    """Ask the engine, if there is one; a container that it doesn't know keeps its short id."""
    names = {ident: ident[:12] for ident in ids}
    if environment.container is None or not ids:
        return names
    runtime = environment.container.runtime
    try:
        (said,) = await batch(environment.remote, [runtime.container_inspect(ids)])
        for item in objects(said, runtime):
            names[str(item["Id"])] = str(item.get("Name") or "").lstrip("/") or names[item["Id"]]
    except IgorError:
        pass  # show the list even without the names
    return names


def parse(text: str, containers: dict[str, str]) -> list[Gpu]:
    """Return what `_ASK` printed; `containers` are names by the ids in the control groups."""
    first, _, rest = text.partition("\n\n")
    by_uuid: dict[str, Gpu] = {}
    for line in first.splitlines():
        index, uuid, used, total, load, name = line.split(", ", 5)
        by_uuid[uuid] = Gpu(int(index), name, _bytes(used), _bytes(total), _number(load))
    lines = rest.splitlines()
    for line, user, group in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        uuid, pid, used, name = line.split(", ", 3)
        ident = _CONTAINER.search(group)
        where = containers.get(ident[0], ident[0][:12]) if ident else ""
        if uuid in by_uuid:
            process = GpuProcess(int(pid), name, user, _bytes(used), where)
            by_uuid[uuid].processes.append(process)
    return list(by_uuid.values())


def _number(word: str) -> int | None:
    """Parse a number; None for [N/A], [Not Supported], [Insufficient Permissions] and the like."""
    return int(word) if word.isdecimal() else None


def _bytes(mebibytes: str) -> int | None:
    number = _number(mebibytes)
    return None if number is None else number << 20


def _told(count: int | None) -> str:
    return "?" if count is None else size(count)


def _process_text(process: GpuProcess) -> str:
    where = f" in container {process.container}" if process.container else ""
    whose = process.user or "an unknown user"
    return f"   {whose}: {process.name} ({process.pid}){where}, {_told(process.memory)}"


def _said(done: Completed) -> str:
    said = os.fsdecode(done.stdout + done.stderr).split("\n")
    return " ".join(line.strip() for line in said if line.strip())[:300] or f"status {done.status}"
