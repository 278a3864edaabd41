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
from igor_core.verbs.state.context import Context
from igor_core.verbs.steps.request import Job
from igor_core.verbs.steps.targets import Done, Target, each, targets_of

_NOT_INSTALLED = 127
_NO_DEVICES = 6  # nvidia-smi's status where the driver finds no GPU
_TIMED_OUT = 124  # timeout's
_CONTAINER = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_NOT_FOUND = "[Not Found]"  # nvidia-smi's name of a process of another PID namespace

# Prints "gpu LINE" for each line about GPUs, then for each process that computes on one
# "process LINE", "user NAME" ("uid NUMBER" if it has no name) and "group CONTROL-GROUPS".
# A driver that hangs lets nvidia-smi hang; one that lost a GPU prints sentences among its lines.
# The GPU's bus id joins the two lists: a process on a MIG instance has the instance's UUID.
_ASK = """\
command -v nvidia-smi >/dev/null || exit 127
patient=$(command -v timeout >/dev/null && echo timeout -k 1 20)
export LC_ALL=C
gpus=$($patient nvidia-smi \\
    --query-gpu=index,pci.bus_id,memory.used,memory.total,utilization.gpu,name \\
    --format=csv,noheader,nounits 2>&1)
status=$?
printf '%s\\n' "$gpus" | while IFS= read -r line; do
    printf 'gpu %s\\n' "$line"
done
[ $status = 0 ] || exit $status
processes=$($patient nvidia-smi \\
    --query-compute-apps=gpu_bus_id,pid,used_memory,process_name \\
    --format=csv,noheader,nounits 2>&1)
status=$?
printf '%s\\n' "$processes" | while IFS= read -r line; do
    printf 'process %s\\n' "$line"
    pid=${line#*, }
    pid=${pid%%,*}
    case $pid in
        '' | *[!0-9]*) continue ;;
    esac
    user=$(stat -c %U "/proc/$pid" 2>/dev/null) || continue
    if [ "$user" = UNKNOWN ]; then
        printf 'uid %s\\n' "$(stat -c %u "/proc/$pid")"
    else
        printf 'user %s\\n' "$user"
    fi
    printf 'group %s\\n' "$(tr '\\n' ' ' <"/proc/$pid/cgroup")"
done 2>/dev/null
exit $status
"""


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on a GPU; `memory` is in bytes, None if nvidia-smi doesn't tell.

    `container` is the name of the container that it runs in, else the start of its id; "" on the
    host itself. `user` is "uid 1234" for one without a name, and "" if the host does not show the
    process; its `pid` is then one of another namespace.
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


@dataclass(frozen=True)
class Answer:
    """What nvidia-smi says of a host; `complaints` are its sentences on what it can't read."""

    gpus: list[Gpu]
    complaints: list[str]


async def gpus(job: Job, context: Context) -> Outcome:
    """List the GPUs of each host. The data is {"hosts": [{"host", "gpus"}]}."""
    targets = targets_of(job, context)
    found: dict[str, list[Gpu]] = {}

    async def on(target: Target) -> Done:
        answer = await _ask(await target.connect())
        found[target.name] = answer.gpus
        for gpu in answer.gpus:
            await target.job.output(target.name, "stdout", gpu.text().encode("utf-8", "replace"))
        if answer.complaints:
            failed = "can't read each GPU of" if answer.gpus else "failed on"
            said = " ".join(answer.complaints)[:300]
            raise HostError(f"nvidia-smi {failed} {target.name}: {said}")
        return Done("" if answer.gpus else "no GPU: nvidia-smi finds none")

    outcome = await each(targets, on)
    hosts = [
        {"host": target.name, "gpus": [asdict(gpu) for gpu in found.get(target.name, ())]}
        for target in targets
    ]
    return Outcome(outcome.status, results=outcome.results, data={"hosts": hosts})


async def _ask(environment: Environment) -> Answer:
    """Ask a host's nvidia-smi; one round trip, and one for the names of containers."""
    done = await environment.remote.run(["sh", "-c", _ASK], env=environment.entry.env)
    if done.status in (_NOT_INSTALLED, _NO_DEVICES):
        return Answer([], [])
    if done.status == _TIMED_OUT:
        raise HostError(
            f"nvidia-smi on {environment.name} did not answer for 20 s; its driver hangs",
            "look at the driver's messages there (sudo dmesg), or restart the host",
        )
    text = os.fsdecode(done.stdout)
    names = await _container_names(environment, sorted(set(_CONTAINER.findall(text))))
    answer = parse(text, names)
    if done.status != 0 and not answer.complaints:
        answer.complaints.append(f"status {done.status}")
    return answer


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


def parse(text: str, containers: dict[str, str]) -> Answer:
    """Return what `_ASK` printed; `containers` are names by the ids in the control groups."""
    by_bus: dict[str, Gpu] = {}
    complaints: list[str] = []
    for record in re.split(r"^(?=gpu |process )", text, flags=re.MULTILINE):
        first, *owner = record.splitlines() or [""]
        kind, _, line = first.partition(" ")
        words = [_CONTROL.sub("?", word) for word in line.split(", ", 5 if kind == "gpu" else 3)]
        match words:
            case [index, bus, used, total, load, name] if index.isdecimal():
                by_bus[bus] = Gpu(int(index), name, _bytes(used), _bytes(total), _number(load))
            case [bus, pid, used, name] if pid.isdecimal() and bus in by_bus:
                user, where = _user_and_container(owner, containers)
                if name == _NOT_FOUND:  # the host's process of this number is another one
                    user, where = "", ""
                by_bus[bus].processes.append(GpuProcess(int(pid), name, user, _bytes(used), where))
            case _ if line.strip():
                complaints.append(_CONTROL.sub(" ", line).strip())
    return Answer(list(by_bus.values()), list(dict.fromkeys(complaints)))


def _user_and_container(owner: Sequence[str], containers: dict[str, str]) -> tuple[str, str]:
    """Read the lines about a process that follow its own."""
    told = dict(line.partition(" ")[::2] for line in owner)
    user = told.get("user") or (f"uid {told['uid']}" if "uid" in told else "")
    ident = _CONTAINER.search(told.get("group", ""))
    where = containers.get(ident[0], ident[0][:12]) if ident else ""
    return _CONTROL.sub("?", user), where


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
