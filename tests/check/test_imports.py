"""Each layer knows only what is below it, and each outside word has one owner."""

from pathlib import Path

import pytest

from tests.check.imports import HEIGHT, unit_of, violations

CHECKOUT = Path(__file__).parents[2]


def test_imports_go_down_only_and_outside_words_have_one_owner() -> None:
    found = violations(CHECKOUT)
    assert not found, "\n".join(found)


def test_the_sources_are_really_read() -> None:
    units = {
        unit_of(path.relative_to(CHECKOUT).as_posix())
        for path in (CHECKOUT / "igor_core").rglob("*.py")
    }
    assert {"errors", "config", "ssh", "push", "verbs", "agent", "agent.client", "cli"} <= units
    assert units <= set(HEIGHT)


# A file, what stands in it, and the rule that it breaks.
BREACHES = [
    ("igor_core/config/read.py", "import igor_core.verbs", "'config' must not know 'verbs'"),
    ("igor_core/errors.py", "from igor_core import events", "'errors' must not know 'events'"),
    ("igor_core/push/plan.py", "from igor_core.container import names", "not know 'container'"),
    ("igor_core/container/x.py", "def f():\n    import igor_core.push.plan", "not know 'push'"),
    ("igor_core/verbs/push.py", "from igor_core.agent import server", "not know 'agent'"),
    ("igor_core/cli/x.py", "from igor_core.agent.jobs import Jobs", "not know 'agent'"),
    ("igor_core/cli/x.py", "import igor_core.ssh.host", "'cli' must not know 'ssh'"),
    ("rplugin/python3/x.py", "import igor_core.cli", "'igor_nvim' must not know 'cli'"),
    ("igor_core/bridge/x.py", "import igor_core.verbs", "'igor_nvim' must not know 'verbs'"),
    ("igor_core/agent/client.py", "import igor_core.agent.server", "must not know 'agent'"),
    ("igor_core/ssh/host.py", "from . import pool", "must not know 'relative'"),
    ("igor_core/remote/x.py", "from igor_core.errors import A", "'remote' must not know 'errors'"),
    ("igor_core/push/plan.py", "import igor_core.push.sync.clone", "not know 'push.sync'"),
    ("igor_core/verbs/steps/x.py", "import igor_core.verbs.push", "not know 'verbs'"),
    (
        "igor_core/verbs/state/x.py",
        "import igor_core.verbs.steps.request",
        "not know 'verbs.steps'",
    ),
    ("igor_core/magic/x.py", "", "'magic' is in no layer"),
    ("igor_core/push/x.py", "import asyncssh", "asyncssh belongs to igor_core/ssh/"),
    ("igor_core/cli/x.py", "from msgpack import packb", "belongs to igor_core/agent/protocol.py"),
    ("igor_core/cli/x.py", "import pynvim", "pynvim belongs to rplugin/"),
    ("igor_core/verbs/x.py", "run(['docker', 'ps'])", "the program docker belongs to"),
    ("igor_core/push/x.py", "x = ['rsync', '-a']", "the program rsync belongs to"),
    ("igor_core/cli/x.py", "a.create_subprocess_exec('git', 'x')", "the program git belongs to"),
]


@pytest.mark.parametrize(("file", "text", "said"), BREACHES, ids=[b[2] for b in BREACHES])
def test_a_breach_is_named_with_its_file_and_line(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    for module in ("events", "errors", "agent/server", "agent/jobs", "container/names"):
        _write(tmp_path / "igor_core" / f"{module}.py", "")
    _write(tmp_path / file, text)
    (found,) = violations(tmp_path)
    assert found.startswith(f"{file}:{text.count(chr(10)) + 1}: ")
    assert said in found


KEPT = [
    ("igor_core/verbs/push.py", "from igor_core.push.push import push"),
    ("igor_core/cli/job.py", "from igor_core.agent.client import connect"),
    ("igor_core/cli/help.py", "from igor_core import __version__"),
    ("igor_core/agent/server.py", "from igor_core import verbs\nimport igor_core.agent.client"),
    ("igor_core/config/model.py", "choices = ['docker']"),
    ("igor_core/runtime.py", "words = ['docker', 'ps']"),
]


@pytest.mark.parametrize(("file", "text"), KEPT, ids=[kept[0] for kept in KEPT])
def test_what_the_rules_allow_is_not_named(tmp_path: Path, file: str, text: str) -> None:
    _write(tmp_path / "igor_core" / "verbs" / "__init__.py", "")
    _write(tmp_path / file, text)
    assert violations(tmp_path) == []


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
