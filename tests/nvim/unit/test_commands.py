"""The commands: equal in both declarations, registered either way, completed without Python."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from igor_core.agent.protocol import Kind
from igor_core.commands.generate import remote_specs
from tests.support.nvim.editor import CHECKOUT, INIT, Editor, running, variables
from tests.support.nvim.scene import scene

PLUGIN = CHECKOUT / "rplugin" / "python3" / "igor_nvim.py"
CHANNEL = "return require('igor.job.list').channel"


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the module as Neovim's host does."""
    monkeypatch.syspath_prepend(str(PLUGIN.parent))
    import igor_nvim

    return igor_nvim


def python_specs(bridge: Any) -> list[dict[str, Any]]:
    handlers = inspect.getmembers(bridge.Igor, lambda member: hasattr(member, "_nvim_rpc_spec"))
    return sorted((h._nvim_rpc_spec for _name, h in handlers), key=lambda spec: spec["name"])


def generate_manifest(nvim: Path, home: Path, **more: str) -> str:
    """Return what :UpdateRemotePlugins writes."""
    env = {**os.environ, **variables(home, "none"), **more}
    command = [nvim, "--headless", "-u", INIT, "+UpdateRemotePlugins", "+qa!"]
    subprocess.run(command, env=env, cwd=home, check=True, capture_output=True, timeout=60)
    return (home / "rplugin.vim").read_text()


def test_the_plugin_declares_the_commands_of_the_table(bridge: Any) -> None:
    assert remote_specs() == python_specs(bridge)


def test_what_lua_does_alone_starts_no_python(nvim: Path, home: Path) -> None:
    with running(nvim, home, home) as editor:
        editor.command("IgorOutput")
        editor.wait_message("no job was started")
        editor.command("IgorInput")
        editor.wait_message("no program takes input")
        editor.command("IgorCancel")
        editor.wait_message("nothing runs")
        assert editor.nvim.call("remote#host#IsRunning", "igor") == 0


def test_no_handler_is_synchronous(bridge: Any) -> None:
    methods = inspect.getmembers(bridge.Igor, lambda m: hasattr(m, "_nvim_rpc_method_name"))
    assert len(methods) > len(python_specs(bridge))
    assert [name for name, method in methods if method._nvim_rpc_sync] == []


def test_the_bridge_imports_no_ssh_and_nothing_of_the_jobs() -> None:
    code = (
        f"import sys; sys.path.append({str(PLUGIN.parent)!r}); before = list(sys.path); "
        "import igor_nvim; "
        "print(*sorted(m for m in sys.modules if m.startswith(('asyncssh', 'igor_core'))))"
        "; print(sys.path == before)"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True).stdout
    modules, path_is_as_before = found.splitlines()
    assert modules.split() == [
        "igor_core",
        "igor_core.agent",
        "igor_core.agent.client",
        "igor_core.agent.protocol",
        "igor_core.bridge",
        "igor_core.bridge.batches",
        "igor_core.bridge.bridge",
        "igor_core.bridge.commands",
        "igor_core.bridge.link",
        "igor_core.bridge.streams",
        "igor_core.commands",
        "igor_core.commands.editor_spec",
        "igor_core.commands.editor_words",
        "igor_core.commands.model",
        "igor_core.commands.operand_words",
        "igor_core.commands.option_words",
        "igor_core.commands.options",
        "igor_core.commands.table",
        "igor_core.directories",
        "igor_core.errors",
        "igor_core.nearest",
    ]
    assert path_is_as_before == "True"


@pytest.mark.parametrize(
    ("command", "verb", "args"),
    [
        ("IgorPush", "push", {}),
        ("IgorPush cluster", "push", {"group": "cluster"}),
        ("IgorPush cluster | echo", "push", {"group": "cluster"}),
        ("IgorPush! --dry-run", "push", {"dry_run": True, "overwrite": True}),
        ("IgorBuild --no-cache -g cluster", "build", {"group": "cluster", "no_cache": True}),
        ("IgorSetup --host apollo --host=x", "setup", {"hosts": ["apollo", "x"]}),
        ("IgorClean cluster --images", "clean", {"group": "cluster", "images": True}),
        ("IgorExec echo  'a  b' \\| wc\\ -l", "exec", {"shell": "echo  'a  b' \\| wc\\ -l"}),
        (
            'IgorExec -g cluster --host apollo --no-push ls --force "x"',
            "exec",
            {"group": "cluster", "hosts": ["apollo"], "no_push": True, "shell": 'ls --force "x"'},
        ),
        ("IgorExec -- --setup", "exec", {"shell": "--setup"}),
    ],
)
def test_a_command_becomes_one_request(
    nvim: Path, home: Path, command: str, verb: str, args: dict[str, Any]
) -> None:
    with scene(nvim, home) as on:
        on.editor.command(command)
        request = on.agent.frame(Kind.REQUEST)
        expected = args | ({"places": True} if verb in ("build", "setup", "exec") else {})
        assert request[2:] == [verb, str(on.project), expected]


def test_words_that_are_not_understood_are_named(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.editor.command("IgorPush --dry")
        on.editor.wait_message(
            "igor: push: no option --dry; did you mean '--dry-run'? (known: -g, --host, --dry-run"
        )
        on.editor.command("IgorSetup dev cluster")
        on.editor.wait_message("igor: setup: one host group at a time: dev or cluster")
        assert on.agent.received.empty()


def test_the_project_is_that_of_the_file_then_of_the_folder(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        (on.project / "deep" / "er").mkdir(parents=True)
        on.editor.command(f"cd {home}")
        on.editor.command("edit project/deep/er/new.py")
        on.editor.command("IgorPush")
        assert on.agent.frame(Kind.REQUEST)[3] == str(on.project)
        on.editor.command("enew")
        on.editor.command("IgorPush")
        assert on.agent.frame(Kind.REQUEST)[3] == str(home)
        on.editor.command(f"cd {on.project}/deep")
        on.editor.command("IgorPush")
        assert on.agent.frame(Kind.REQUEST)[3] == str(on.project)
        on.editor.command(f"cd {on.project} | file scp://apollo/main.py")
        on.editor.command("IgorPush")
        assert on.agent.frame(Kind.REQUEST)[3] == str(on.project)


def complete(editor: Editor, line: str) -> list[str]:
    found: list[str] = editor.nvim.call("getcompletion", line, "cmdline")
    return found


def test_completion_knows_groups_hosts_and_flags_without_python(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        assert complete(on.editor, "IgorPush ") == ["cluster", "dev"]
        assert complete(on.editor, "IgorSetup cl") == ["cluster"]
        assert complete(on.editor, "IgorSetup cluster ") == []
        assert complete(on.editor, "IgorClean --host ") == ["apollo", "enterprise"]
        assert complete(on.editor, "IgorExec -g ") == ["cluster", "dev"]
        assert complete(on.editor, "IgorExec ls ") == []
        assert complete(on.editor, "IgorBuild --") == ["--force", "--host", "--no-cache"]
        assert on.editor.lua("return package.loaded['igor.job']") is None
        assert on.editor.nvim.call("remote#host#IsRunning", "igor") == 0


def test_completion_is_silent_where_the_config_is_broken(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        for text in ("{", "[]", '{"host_groups": 3}', '{"host_groups": {"a": {"hosts": [1, {}]}}}'):
            (on.project / ".igor" / "config.json").write_text(text)
            assert complete(on.editor, "IgorPush ") in ([], ["a"])


def test_names_that_would_act_in_the_command_line_are_not_offered(nvim: Path, home: Path) -> None:
    config = {"host_groups": {"a|!touch x": {"hosts": []}, "b": {"hosts": [{"host": "-o x|q"}]}}}
    with scene(nvim, home) as on:
        (on.project / ".igor" / "config.json").write_text(json.dumps(config))
        assert complete(on.editor, "IgorPush ") == ["b"]
        assert complete(on.editor, "IgorPush --host ") == []


def test_a_pipe_in_place_of_the_config_does_not_hold_the_editor(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        (on.project / ".igor" / "config.json").unlink()
        os.mkfifo(on.project / ".igor" / "config.json")
        assert complete(on.editor, "IgorPush ") == []
        on.start("IgorPush")
        on.editor.wait_output("igor push")


@pytest.mark.parametrize("setup", ["none", "{}"])
def test_the_manifest_has_the_commands_and_setup_leaves_them(
    nvim: Path, home: Path, setup: str
) -> None:
    manifest = generate_manifest(nvim, home)
    assert f"call remote#host#RegisterPlugin('python3', '{PLUGIN}'" in manifest
    with scene(nvim, home, setup) as on:
        on.start("IgorPush")
        assert on.editor.messages() == ""
        assert on.editor.nvim.call("remote#host#IsRunning", "python3") == 1


def test_setup_adds_what_an_older_manifest_lacks(nvim: Path, home: Path) -> None:
    manifest = generate_manifest(nvim, home)
    lines = [line for line in manifest.splitlines() if "IgorSetup" not in line]
    (home / "rplugin.vim").write_text("\n".join(lines))
    with scene(nvim, home) as on:
        on.start("IgorSetup cluster")
        assert on.editor.nvim.call("remote#host#IsRunning", "python3") == 1


@pytest.fixture
def other_plugin(home: Path) -> Path:
    """Return the runtime folder of another Python plugin, with a command :Other."""
    folder = home / "other" / "rplugin" / "python3"
    folder.mkdir(parents=True)
    (folder / "other.py").write_text(
        "import pynvim\n"
        "@pynvim.plugin\n"
        "class Other:\n"
        "    def __init__(self, nvim):\n"
        "        self.nvim = nvim\n"
        "    @pynvim.command('Other', sync=True)\n"
        "    def other(self):\n"
        "        self.nvim.vars['other'] = 1\n"
    )
    return home / "other"


def test_setup_registers_after_another_python_plugin_runs(
    nvim: Path, home: Path, other_plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IGOR_TEST_RUNTIME", str(other_plugin))
    manifest = generate_manifest(nvim, home)
    # As if igor had been installed after the last :UpdateRemotePlugins.
    lines = manifest.split("call remote#host#RegisterPlugin(")
    kept = [part for part in lines if "igor_nvim" not in part]
    (home / "rplugin.vim").write_text("call remote#host#RegisterPlugin(".join(kept))
    with scene(nvim, home, "none") as on:
        on.editor.command("Other")
        assert on.editor.nvim.vars["other"] == 1
        on.editor.lua("require('igor').setup({})")
        on.start("IgorPush")
        on.editor.command("Other")
        assert on.editor.messages() == ""


def test_the_first_command_does_not_wait_for_python(nvim: Path, home: Path) -> None:
    slow = home / "slow-python"
    goes = home / "goes"
    slow.write_text(f"""#!/bin/sh
until [ -e {goes} ]; do sleep 0.05; done
exec {sys.executable} "$@"
""")
    slow.chmod(0o755)
    with scene(nvim, home, f'{{"python": "{slow}"}}') as on:
        on.editor.command("IgorPush")
        on.editor.command("IgorBuild")
        goes.touch()
        assert on.agent.frame(Kind.REQUEST)[2] == "push"
        assert on.agent.frame(Kind.REQUEST)[2] == "build"


def test_a_python_that_does_not_start_is_named(nvim: Path, home: Path) -> None:
    broken = home / "broken-python"
    broken.write_text("#!/bin/sh\nsleep 0.1\necho 'No module named pynvim' >&2\nexit 1\n")
    broken.chmod(0o755)
    for python, why in (("/no/python", "not found"), (str(broken), "No module named")):
        with running(nvim, home, home, f'{{"python": "{python}"}}') as editor:
            editor.command("IgorPush")
            editor.wait_message("igor: its Python has ended, see :checkhealth igor")
            assert why in editor.messages()
            assert editor.mode() == "n"


def test_a_bridge_that_dies_is_replaced_by_the_next_command(nvim: Path, home: Path) -> None:
    with scene(nvim, home) as on:
        on.start("IgorPush")
        on.editor.wait("its number", lambda: complete(on.editor, "IgorCancel ") == ["101"])
        os.kill(on.editor.nvim.call("jobpid", on.editor.lua(CHANNEL)), 9)
        on.editor.wait_message("its Python has ended")
        assert "the job may go on" in on.editor.output()[-1]
        assert on.editor.lua("return require('igor').status()") == "igor: push failed"
        on.editor.command("IgorCancel 101")
        on.editor.wait_message("igor: job 101 has ended")
        on.start("IgorSetup")
        on.editor.wait_output("igor setup")


def test_jobs_of_a_bridge_that_died_are_not_taken_for_later_ones(nvim: Path, home: Path) -> None:
    with scene(nvim, home, '{"output": {"jobs": 0}}') as on:
        on.start("IgorPush")
        on.editor.wait("its number", lambda: complete(on.editor, "IgorCancel ") == ["101"])
        os.kill(on.editor.nvim.call("jobpid", on.editor.lua(CHANNEL)), 9)
        on.editor.wait_message("its Python has ended")
        second = on.start("IgorExec ls")
        on.editor.wait_output("igor exec")
        output = on.editor.output_buffer()
        on.start("IgorClean")
        on.editor.wait_output("igor clean")
        on.agent.output(second, b"still here\n")
        on.editor.wait("the second job's output", lambda: "still here" in output[:])
        on.editor.command(f"IgorCancel {second + 100}")
        assert on.agent.frame(Kind.CANCEL)[1] == second
