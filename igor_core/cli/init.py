"""`igor init`: write a first config, from flags, from questions, or from the project's files."""

import os
from pathlib import Path
from typing import Any

from igor_core.cli import report
from igor_core.cli.job import directory
from igor_core.cli.outlet import STDERR
from igor_core.cli.terminal import Question, somebody_there
from igor_core.cli.text import printable
from igor_core.commands.parse import Invocation
from igor_core.config.init import ConfigQuestion, discover, questions, render, write
from igor_core.config.model import DEFAULT_GROUP
from igor_core.config.project import CONFIG_FILE
from igor_core.errors import UsageError

SSH_CONFIG = Path("~/.ssh/config")


def run(invocation: Invocation) -> int:
    """Write a config if there is none, and say what to do next."""
    root = Path(directory(invocation))
    if os.path.lexists(root / CONFIG_FILE):
        raise UsageError(f"{root / CONFIG_FILE} exists already", "edit it, or move it away first")
    hosts = [_host(given) for given in invocation.values.get("hosts", ())]
    answers = _from_flags(invocation.values, hosts)
    ask = not invocation.values.get("yes") and somebody_there()
    for question in questions(discover(root, SSH_CONFIG.expanduser())):
        if question.key not in answers:
            answers[question.key] = _asked(question) if ask else question.default
    if not answers["host"]:
        raise UsageError(
            "which hosts? None is named, and nobody is there to be asked", "--host HOST:DIR"
        )
    group = invocation.values.get("group", DEFAULT_GROUP)
    file = write(root, render(answers, group, hosts))
    return report.answer(
        invocation,
        [
            f"wrote {printable(str(file))}",
            "next: igor doctor          are the hosts ready?",
            "      igor docker setup    push, build, start the container",
        ],
        str(file),
    )


def _from_flags(values: dict[str, Any], hosts: list[dict[str, str]]) -> dict[str, str]:
    named = ("user", "dockerfile", "repl_cmd")
    answers: dict[str, str] = {key: values[key] for key in named if key in values}
    if hosts:
        answers |= hosts[0]
    return answers


def _host(given: str) -> dict[str, str]:
    """Split `apollo:/data/dev` into its parts; the host may be an IPv6 address."""
    for start in (":/", ":~"):
        host, found, rest = given.partition(start)
        if found and host:
            return {"host": host, "dir": start[1:] + rest}
    raise UsageError(f"--host {given}: expected HOST:DIR, with DIR absolute or from '~/'")


def _asked(question: ConfigQuestion) -> str:
    """Ask the user until the answer is valid. Raises KeyboardInterrupt on ctrl-d."""
    if len(question.offers) > 1:
        report.show(STDERR, [f"  found: {', '.join(map(printable, question.offers))}"])
    default = f" [{printable(question.default)}]" if question.default else ""
    while True:
        with Question(f"{question.text}{default}: ", echo=True) as asked:
            answer = asked.answer()
        if answer is None:
            raise KeyboardInterrupt
        answer = answer.strip() or question.default
        complaint = question.check(answer)
        if complaint is None:
            return answer
        report.show(STDERR, [f"  {printable(complaint)}"])
