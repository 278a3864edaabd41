"""The data that some verbs return, as tables for people."""

import time
from typing import Any

from igor_core.cli.text import printable, printable_lines, table
from igor_core.commands.table import verb_named
from igor_core.quantities import duration

MARKS = {"ok": "ok", "warn": "warning", "fail": "FAILED", "skip": "skipped"}


def status(data: dict[str, Any]) -> list[str]:
    """Return the project, then per host: how fresh it is, files, what waits, the last push."""
    trusted = "trusted" if data["trusted"] else "not trusted (igor trust)"
    lines = [f"{printable(data['project'])}  {printable(data['root'])}  {trusted}"]
    lines.append(f"group {printable(data['group'])}")
    rows = [["host", "folder", "state", "files", "pending", "last push"]]
    rows += [_host_row(host) for host in data["hosts"]]
    lines += table(rows)
    for host in data["hosts"]:
        name = printable(host["host"])
        if host["error"]:
            lines += [_of(name, line) for line in printable_lines(host["error"])]
        lines += [f"{name}: held back: {printable(path)}" for path in host["held_back"]]
    return lines


def _of(host: str, error: str) -> str:
    """Return a line of an error with its host, which most errors begin with."""
    return error if error.startswith((f"{host} ", f"{host}: ")) else f"{host}: {error}"


def doctor(data: dict[str, Any]) -> list[str]:
    """Return the checks of the local machine, then of each host; hints stand below failed ones."""
    lines = _checks("this machine", data["local"])
    for host in data["hosts"]:
        lines += _checks(host["host"], host["checks"])
    return lines


def jobs(data: list[dict[str, Any]]) -> list[str]:
    """Return a line per job, the running ones with the time so far."""
    if not data:
        return ["no jobs"]
    rows = [["job", "verb", "state", "time", "client", "project"]]
    for job in data:
        state = "running" if job["running"] else f"exit status {job['status']}"
        rows.append(
            [
                str(job["job"]),
                job["verb"],
                state,
                duration(job["seconds"]),
                str(job["client"]),
                job["root"],
            ]
        )
    return table(rows)


def agent_status(data: dict[str, Any]) -> list[str]:
    """Return one fact per line."""
    rows = [
        ["version", data["version"]],
        ["process", str(data["pid"])],
        ["up for", duration(data["uptime"])],
        ["ends when idle for", duration(data["idle_after"])],
        ["clients", _count(data["clients"])],
        ["jobs", _count(data["jobs"])],
        ["socket", data["socket"]],
        ["log", data["log"]],
    ]
    rows += [["connection", _connection(connection)] for connection in data["connections"]]
    return table(rows)


def cancelled(data: dict[str, Any]) -> list[str]:
    """Say which job was told to end; that job's own client is told how it ends."""
    return [f"job {data['job']} ({printable(data['verb'])}) is ending"]


def lines_of(verb: str, data: Any) -> list[str]:
    """Return a verb's data as the table of verbs has it shown; nothing if it is for programs."""
    shows = verb_named(verb).shows
    lines: list[str] = globals()[shows](data) if shows else []
    return lines


def _host_row(host: dict[str, Any]) -> list[str]:
    return [
        host["host"],
        host["dir"],
        _state(host),
        _count(host["files"]),
        _count(host["pending"]),
        "never" if host["last_push"] is None else f"{_ago(host['last_push'])} ago",
    ]


def _state(host: dict[str, Any]) -> str:
    """Return `fresh`, or since when the host is not."""
    behind = "" if host["since"] is None else f" for {_ago(host['since'])}"
    return f"{host['state']}{behind}"


def _ago(moment: float) -> str:
    """Return how long ago `moment` (Unix time in seconds) was."""
    return duration(max(0.0, time.time() - moment))


def _count(value: Any) -> str:
    """Return a number, a list's length, or `?` if unknown."""
    if value is None:
        return "?"
    return str(len(value) if isinstance(value, list) else value)


def _connection(connection: dict[str, Any]) -> str:
    """Return `apollo  connected  12 ms`, or why the host isn't connected."""
    rtt = "" if connection["rtt"] is None else f"{connection['rtt'] * 1000:.0f} ms"
    facts = (connection["host"], connection["state"], rtt, connection["reason"])
    return "  ".join(filter(None, facts))


def _checks(name: str, checks: list[dict[str, Any]]) -> list[str]:
    lines = [printable(name)]
    width = max((len(printable(check["name"])) for check in checks), default=0)
    for check in checks:
        first, *more = printable_lines(check["text"]) or [""]
        mark = MARKS.get(check["state"], check["state"])
        lines.append(f"  {mark:7}  {printable(check['name']):{width}}  {first}".rstrip())
        lines += [f"           {line}" for line in more + printable_lines(check["hint"])]
    return lines
