"""The content of .vimspector.json, by Vimspector's rules, and what its command lines run."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from igor_core.config import Project
from igor_core.config.read import parse
from igor_core.debug.editors.endpoints import HostKey, endpoints_of
from igor_core.debug.editors.files import VIMSPECTOR
from igor_core.debug.editors.vimspector import generate
from tests.support.config_examples import CLUSTER, EVERYTHING, SIMPLE
from tests.support.vimspector_rules import expanded, mistakes, run_command

ROOT = Path("/home/dino/project")
HOSTILE = 'it\'s $HOME `id` "x"; touch pwned/a b.py'


def project(config: str | dict[str, Any]) -> Project:
    text = config if isinstance(config, str) else json.dumps(config)
    return Project(ROOT, parse(text.encode(), Path("config.json")), "")


def one_host(host: dict[str, Any] | None = None, **more: Any) -> Project:
    entry = {"host": "apollo", "dir": "/data", **(host or {})}
    return project({"user": "dino", "host_groups": {"dev": {"hosts": [entry]}}, **more})


def generated(of: Project, ports: dict[HostKey, int] | None = None, **more: Any) -> dict[str, Any]:
    names = {group: f"dino-project-{group}" for group in of.config.host_groups}
    return generate(of, endpoints_of(of, names, ports or {}), **more)


NONE = {"runtime": "none"}


@pytest.mark.parametrize(
    "of",
    [
        project(SIMPLE), project(CLUSTER), project(json.dumps(EVERYTHING)),
        project(json.dumps({**EVERYTHING, **NONE})), one_host(runtime="podman"),
        one_host({"dir": "~/a b", "env": {"A": "$HOME ~ it's"}}, runtime="none"),
        one_host(workspace="/srv/$HOME/my code"), one_host(debug={"python": "$VENV/bin/python"}),
        one_host(debug={"subprocess": True, "just_my_code": True}, debug_port=65535),
    ],
)  # fmt: skip
def test_the_content_keeps_vimspectors_rules(of: Project) -> None:
    assert mistakes(generated(of)) == []


def test_the_same_config_gives_the_same_bytes_and_plain_json() -> None:
    of = project(CLUSTER)
    names = {"cluster": "dino-project-cluster"}
    text = VIMSPECTOR.text(of, endpoints_of(of, names, {}))
    assert text == VIMSPECTOR.text(of, endpoints_of(of, names, {}))
    assert json.loads(text) == generated(of)
    assert text.endswith("}\n")


def test_a_group_of_one_host_is_named_without_it_and_each_host_has_a_port() -> None:
    found = generated(project(SIMPLE))["configurations"]
    assert list(found) == ["igor: attach dev", "igor: launch dev", "igor: process dev"]
    content = generated(project(CLUSTER), {("cluster", "enterprise"): 6000})
    assert [name for name in content["configurations"] if "attach" in name] == [
        "igor: attach cluster apollo",
        "igor: attach cluster enterprise",
    ]
    ports = [content["adapters"][f"igor-attach-cluster/{host}"]["port"]
             for host in ("apollo", "enterprise")]  # fmt: skip
    assert ports == [5556, 6000]


def test_children_attach_via_igors_port_too() -> None:
    content = generated(one_host(debug_port=5556))
    way = {"host": "127.0.0.1", "port": 5556}
    assert content["adapters"]["igor-attach-dev"] == way
    request = content["configurations"]["igor: attach dev"]["configuration"]
    assert request["connect"] == way
    assert request["pathMappings"] == [
        {"localRoot": "${workspaceRoot}", "remoteRoot": "/workspace"}
    ]


def test_the_default_configuration_is_the_default_groups_launch() -> None:
    groups = {
        name: {"hosts": [{"host": "apollo", "dir": "/d"}]} for name in ("cluster", "dev", "gpu")
    }
    of = project({"host_groups": groups})
    found = generated(of)["configurations"]
    assert [name for name, each in found.items() if "default" in each] == ["igor: launch dev"]
    without = generated(of, default=False)["configurations"]
    assert [name for name, each in without.items() if "default" in each] == []


def test_names_of_groups_and_hosts_that_run_together_stay_apart() -> None:
    entries = [{"host": "c", "dir": "/d"}, {"host": "b-c", "dir": "/d"}]
    other = [{"host": "c", "dir": "/d"}, {"host": "d", "dir": "/d"}]
    of = project({"host_groups": {"a": {"hosts": entries}, "a-b": {"hosts": other},
                                  "launch-a": {"hosts": other[:1]}}})  # fmt: skip
    content = generated(of)
    assert len(content["adapters"]) == len(content["configurations"]) == 15


# ssh joins the words after the host's name, and a shell there reads them.
SSH = """\
#!/bin/sh
while [ "$1" != "$TARGET" ]; do shift; done
shift
HOME=$HOST_HOME exec sh -c "$*"
"""
TELLS = '#!/bin/sh\nprintf "%s\\n" "$PWD" "$A" "$@" >"$ARGV"\n'


class Machine:
    """An `ssh` that runs the command locally, and a `docker` that records its arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        for name, text in (("ssh", SSH), ("docker", TELLS), ("podman", TELLS), ("python9", TELLS)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def told(self, words: list[str], target: str) -> list[str]:
        """Run an editor's command line; return folder, $A and arguments of what it ran."""
        argv = self.folder / "argv"
        environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "ARGV": str(argv),
            "TARGET": target, "HOST_HOME": str(self.folder), "HOME": "/nonexistent",
        }  # fmt: skip
        subprocess.run(words, env=environment, cwd=self.folder, check=True, timeout=20)
        return argv.read_text().splitlines()

    def run(self, words: list[str], target: str) -> list[str]:
        return self.told(words, target)[2:]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def launch(of: Project, file: str) -> tuple[list[str], list[str]]:
    """What Vimspector runs for the current file: the program's command, and the adapter's."""
    values = {"workspaceRoot": str(ROOT), "relativeFile": file, "unusedLocalPort": "4321"}
    content = expanded(generated(of), values)
    adapter = content["adapters"]["igor-launch-dev"]
    return run_command(content["configurations"]["igor: launch dev"], adapter), adapter["command"]


@pytest.mark.parametrize("file", ["train.py", "src/deep/train.py", HOSTILE, "-c.py", "a  b.py "])
@pytest.mark.parametrize("runtime", ["docker", "podman"])
def test_a_file_of_any_name_is_one_word_in_the_container(
    machine: Machine, file: str, runtime: str
) -> None:
    program, relay = launch(one_host({"user": "kate", "port": 2222}, runtime=runtime), file)
    helper = ["exec", "--interactive", "dino-project-dev", "sh", "/run/igor/python.sh", "project",
              "-I", "/run/igor/debug_helper.py"]  # fmt: skip
    assert machine.run(program, "kate@apollo") == [
        *helper, "serve", "--group", "dino-project-dev", "--id", "editor-4321", "--",
        f"/workspace/{file}",
    ]  # fmt: skip
    assert machine.run(relay, "kate@apollo") == [*helper, "relay", "--id", "editor-4321"]
    assert relay[:6] == ["ssh", "-o", "BatchMode=yes", "-p", "2222", "kate@apollo"]
    assert not (machine.folder / "pwned").exists()


def test_further_words_of_a_users_own_configuration_are_passed_on(machine: Machine) -> None:
    content = expanded(generated(one_host()), {"unusedLocalPort": "1", "workspaceRoot": "/x",
                                               "relativeFile": "a.py"})  # fmt: skip
    theirs = {"remote-cmdLine": ["/workspace/a.py", "--name", "it's $x", ""]}
    words = run_command(theirs, content["adapters"]["igor-launch-dev"])
    assert machine.run(words, "apollo")[-4:] == theirs["remote-cmdLine"]


def test_the_configs_python_runs_and_children_are_asked_for(machine: Machine) -> None:
    of = one_host(debug={"python": "/venv/$x y/bin/python", "subprocess": True})
    program, _relay = launch(of, "a.py")
    argv = machine.run(program, "apollo")
    assert argv[2:6] == ["dino-project-dev", "/venv/$x y/bin/python", "-I",
                         "/run/igor/debug_helper.py"]  # fmt: skip
    assert "--subprocess" in argv


@pytest.mark.parametrize("file", ["train.py", HOSTILE])
def test_without_a_container_the_program_runs_in_the_projects_remote_folder(
    machine: Machine, file: str
) -> None:
    tree = machine.folder / "it's $x" / "project"
    tree.mkdir(parents=True)
    of = one_host({"dir": "~/it's $x", "env": {"A": "b $HOME"}}, runtime="none",
                  debug={"python": "python9"})  # fmt: skip
    program, relay = launch(of, file)
    assert machine.told(program, "apollo") == [
        str(tree), "b $HOME", "-I", f"{machine.folder}/it's $x/.igor-host/run/debug_helper.py",
        "serve", "--group", "dino-project-dev", "--id", "editor-4321", "--", f"./{file}",
    ]  # fmt: skip
    assert machine.run(relay, "apollo")[-3:] == ["relay", "--id", "editor-4321"]


def test_a_process_is_attached_to_by_debugpys_own_adapter(machine: Machine) -> None:
    adapter = generated(one_host())["adapters"]["igor-process-dev"]
    assert machine.run(adapter["command"], "apollo")[-4:] == [
        "/run/igor/python.sh", "project", "-m", "debugpy.adapter",
    ]  # fmt: skip
    assert adapter["attach"] == {"pidSelect": "ask", "pidProperty": "processId"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"configurations": {}}, "nothing starts by itself"),
        ({"adapters": {}}, "there is no adapter"),
    ],
)
def test_the_rules_find_what_is_wrong(change: dict[str, Any], said: str) -> None:
    found = mistakes({**generated(one_host()), **change})
    assert any(said in each for each in found)


def test_the_rules_find_strings_for_booleans_questions_and_variables() -> None:
    content = generated(one_host())
    found = content["configurations"]["igor: attach dev"]
    found["configuration"]["justMyCode"] = "false"
    found["breakpoints"] = {"exception": {"raised": "N"}}
    found["configuration"]["pathMappings"][0]["remoteRoot"] = "$HOME"
    content["adapters"]["igor-attach-dev"]["port"] = "5556"
    assert len(mistakes(content)) == 4
