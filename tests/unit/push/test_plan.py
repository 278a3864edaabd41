"""The rules of a push, as tables: what is here, what igor wrote, what is there, what follows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import pytest

from igor_core.push.channel.state import State
from igor_core.push.plan import Plan, PlanInput, make_plan
from igor_core.push.record import Record
from igor_core.worktree.files import File

P = b"p"


def digest(version: int) -> bytes:
    return b"hash of %d" % version


def here(version: int, path: bytes = P, mode: int = 0o644) -> File:
    """Version 1, 2, … of a file; all have the same size."""
    return File(path, "f", 10, version, mode)


def record(version: int, mode: int = 0o644) -> Record:
    """What igor notes of writing that version."""
    return Record("f", 10, version, mode, digest(version), b"", version)


def there(version: int, *, touched: bool = False, mode: int = 0o644) -> State:
    return State("f", 10, version + 1000 * touched, mode)


def link_here(target: bytes, path: bytes = P) -> File:
    return File(path, "l", len(target), 5, 0o777, target)


def link_record(target: bytes) -> Record:
    return Record("l", len(target), 5, 0o777, b"", target, 5)


def link_there(target: bytes) -> State:
    return State("l", len(target), 99, 0o777, target)


FOLDER = State("d", 4096, 1, 0o755)


def outcome(plan: Plan, path: bytes = P) -> str:
    """What becomes of one path, in a word; "+ own" where the host's file was recognized."""
    words = []
    if path in [file.path for file in plan.send]:
        words.append("send")
    if path in plan.delete + plan.delete_first:
        words.append("delete")
    if path in plan.forget:
        words.append("forget")
    if path in plan.undecided:
        words.append("undecided")
    words += [item.reason for item in plan.held_back if item.path == path]
    if not words and plan.unchanged:
        words.append("unchanged")
    return " + ".join(words + ["own"] * (path in plan.adopt))


@dataclass(frozen=True)
class Case:
    local: File | None
    written: Record | None
    intended: Record | None
    remote: State | None
    expected: str
    content: int | None = None
    force: bool = False


def plan_of(case: Case) -> Plan:
    def only(value: object) -> Mapping[bytes, object]:
        return {} if value is None else {P: value}

    return make_plan(
        PlanInput(
            local=only(case.local),  # type: ignore[arg-type]
            written=only(case.written),  # type: ignore[arg-type]
            intended=only(case.intended),  # type: ignore[arg-type]
            remote=only(case.remote),  # type: ignore[arg-type]
            local_hashes=only(case.local and digest(case.local.mtime_ns)),  # type: ignore[arg-type]
            remote_hashes={} if case.content is None else {P: digest(case.content)},
            force=case.force,
        )
    )


CASES = {
    # local, written, intended, remote
    "new": Case(here(1), None, None, None, "send"),
    "still as written": Case(here(1), record(1), None, there(1), "unchanged"),
    "changed here": Case(here(2), record(1), None, there(1), "send"),
    "mode changed here": Case(here(1, mode=0o755), record(1), None, there(1), "send"),
    "mode changed there": Case(here(1), record(1), None, there(1, mode=0o600), "unchanged"),
    "gone there": Case(here(1), record(1), None, None, "send"),
    "changed there": Case(here(1), record(1), None, there(9), "undecided"),
    "changed there, asked": Case(here(1), record(1), None, there(9), "changed on the host", 9),
    "changed there, unreadable": Case(
        here(1), record(1), None, State("f", 10, 9, 0), "changed on the host", 0
    ),
    "changed on both sides": Case(here(2), record(1), None, there(9), "changed on the host", 9),
    "changed on both sides, to the same": Case(
        here(2), record(1), None, there(9), "unchanged + own", 2
    ),
    "changed on both sides, forced": Case(
        here(2), record(1), None, there(9), "send", 9, force=True
    ),
    # --force takes no time's word for it
    "as written, forced": Case(here(1), record(1), None, there(1), "undecided", force=True),
    "other content there, same time, forced": Case(
        here(1), record(1), None, there(1), "send", 9, force=True
    ),
    "touched there": Case(here(1), record(1), None, there(1, touched=True), "unchanged + own", 1),
    "touched there, changed here": Case(
        here(2), record(1), None, there(1, touched=True), "send + own", 1
    ),
    # an interrupted push
    "intended and arrived": Case(here(2), record(1), record(2), there(2), "unchanged + own"),
    "intended, not arrived": Case(here(2), record(1), record(2), there(1), "send"),
    "chmod intended, not arrived": Case(
        here(1, mode=0o755), record(1), record(1, mode=0o755), there(1), "send"
    ),
    "chmod intended and arrived": Case(
        here(1, mode=0o755), record(1), record(1, mode=0o755), there(1, mode=0o755),
        "unchanged + own",
    ),
    "chmod intended, arrived, and taken back here": Case(
        here(1), record(1), record(1, mode=0o755), there(1, mode=0o755), "send + own"
    ),
    "intended first time, arrived": Case(here(1), None, record(1), there(1), "unchanged + own"),
    "intended first time, not arrived": Case(here(1), None, record(1), None, "send"),
    "intended, arrived, changed here since": Case(
        here(3), record(1), record(2), there(2), "send + own"
    ),
    "intended, arrived without its time, changed here since": Case(
        here(3), record(1), record(2), there(2, touched=True), "send + own", 2
    ),
    "intended, changed there since": Case(
        here(2), record(1), record(2), there(9), "changed on the host", 9
    ),
    "intended, gone here, arrived": Case(None, record(1), record(2), there(2), "delete"),
    "intended, gone here, not arrived": Case(None, record(1), record(2), there(1), "delete"),
    "intended, gone here, never arrived": Case(None, None, record(2), None, "forget"),
    # not igor's
    "there already": Case(here(1), None, None, there(9), "undecided"),
    "there already, different": Case(
        here(1), None, None, there(9), "on the host already, and different", 9
    ),
    "there already, the same": Case(here(1), None, None, there(9), "unchanged + own", 1),
    "there already, the same, group may write": Case(
        here(1), None, None, there(9, mode=0o664), "unchanged + own", 1
    ),
    "there already, the same, doesn't run": Case(
        here(1, mode=0o755), None, None, there(9), "send", 1
    ),
    "there already, forced": Case(here(1), None, None, there(9), "send", 9, force=True),
    "a fifo there": Case(
        here(1), None, None, State("p", 0, 1, 0o644), "on the host already, and different"
    ),
    "a fifo there, forced": Case(
        here(1), None, None, State("p", 0, 1, 0o644), "send", force=True
    ),
    # deletes
    "deleted here": Case(None, record(1), None, there(1), "delete"),
    "deleted here and there": Case(None, record(1), None, None, "forget"),
    "deleted here, changed there": Case(None, record(1), None, there(9), "undecided"),
    "deleted here, changed there, asked": Case(
        None, record(1), None, there(9), "deleted locally, but changed on the host", 9
    ),
    "deleted here, touched there": Case(
        None, record(1), None, there(1, touched=True), "delete", 1
    ),
    "deleted here, changed there, forced": Case(
        None, record(1), None, there(9), "delete", force=True
    ),
    "deleted here, a folder there": Case(None, record(1), None, FOLDER, "forget"),
    "deleted here, a folder there, forced": Case(
        None, record(1), None, FOLDER, "forget", force=True
    ),
    "deleted here, a link there": Case(
        None, record(1), None, link_there(b"t"), "deleted locally, but changed on the host"
    ),
    # links
    "link, new": Case(link_here(b"t"), None, None, None, "send"),
    "link, as written": Case(link_here(b"t"), link_record(b"t"), None, link_there(b"t"),
                             "unchanged"),
    "link, elsewhere here": Case(link_here(b"u"), link_record(b"t"), None, link_there(b"t"),
                                 "send"),
    "link, elsewhere there": Case(link_here(b"t"), link_record(b"t"), None, link_there(b"u"),
                                  "changed on the host"),
    "link, there already": Case(link_here(b"t"), None, None, link_there(b"t"), "unchanged + own"),
    "link, there already, elsewhere": Case(link_here(b"t"), None, None, link_there(b"u"),
                                           "on the host already, and different"),
    "link, deleted here": Case(None, link_record(b"t"), None, link_there(b"t"), "delete"),
    "file here, link of igor's there": Case(here(1), link_record(b"t"), None, link_there(b"t"),
                                            "send"),
    "file here, link of others there": Case(here(1), record(1), None, link_there(b"t"),
                                            "changed on the host"),
    "link here, file of igor's there": Case(link_here(b"t"), record(1), None, there(1), "send"),
    "link here, file of others there": Case(link_here(b"t"), None, None, there(9),
                                            "on the host already, and different", 9),
    # folders
    "file here, folder of others there": Case(here(1), None, None, FOLDER, "a folder on the host"),
    "file here, folder of others there, forced": Case(
        here(1), None, None, FOLDER, "a folder on the host", force=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_one_path(name: str) -> None:
    assert outcome(plan_of(CASES[name])) == CASES[name].expected


SEEN = File(P, "f", 10, 1, 0o644, b"", ctime_ns=5, inode=7)
WRITTEN = Record.of(SEEN, digest(1))


@pytest.mark.parametrize(
    "now",
    [replace(SEEN, mtime_ns=2, ctime_ns=6), replace(SEEN, ctime_ns=6), replace(SEEN, inode=8)],
    ids=["touch", "cp -p", "mv"],
)
def test_other_times_or_another_inode_let_the_content_decide(now: File) -> None:
    asked = PlanInput({P: now}, {P: WRITTEN}, {}, {P: there(1)})
    plan = make_plan(asked)
    assert (plan.unhashed, plan.send, plan.unchanged) == ([P], [], 0)
    same = make_plan(replace(asked, local_hashes={P: digest(1)}))
    assert (same.unchanged, same.send) == (1, [])
    assert same.adopt[P].is_local(now)
    assert (same.adopt[P].mtime_ns, same.adopt[P].hash) == (WRITTEN.mtime_ns, WRITTEN.hash)
    for other in (digest(2), b""):
        assert make_plan(replace(asked, local_hashes={P: other})).send == [now]


def test_a_chmod_that_was_lost_is_sent_again() -> None:
    now = replace(SEEN, mode=0o755, ctime_ns=6)
    intended = {P: Record.of(now, digest(1))}
    asked = PlanInput({P: now}, {P: WRITTEN}, intended, {P: there(1)})
    assert make_plan(replace(asked, local_hashes={P: digest(1)})).send == [now]


def test_as_it_was_seen_a_file_is_not_read_again() -> None:
    plan = make_plan(PlanInput({P: SEEN}, {P: WRITTEN}, {}, {P: there(1)}))
    assert (plan.unchanged, plan.unhashed, plan.adopt) == (1, [], {})


def test_no_combination_loses_what_igor_did_not_write() -> None:
    """All of local, written, intended, remote and content: 2,560 cases."""
    versions = [None, 1, 2, 3]
    for local, written, intended in product(versions, versions, versions):
        for remote, touched, content in product(versions, (False, True), (None, 1, 2, 3, 9)):
            case = Case(
                local and here(local),
                written and record(written),
                intended and record(intended),
                remote and there(remote, touched=touched),
                "",
                content,
            )
            plan = plan_of(case)
            said = outcome(plan)
            # Size and time tell igor's own file; where they don't, only content does.
            by_time = bool(remote) and not touched and remote in (written, intended)
            by_content = bool(remote) and content in (written, intended) and content is not None
            overwrites = bool(plan.send) and content != local
            destroys = remote is not None and (overwrites or plan.deletions > 0)
            assert not destroys or by_time or by_content, (case, said)
            if local is None and written is None and intended is None:
                assert said == "", case
            else:
                assert said != "", case


def test_what_may_still_exist_here_is_not_deleted() -> None:
    known = PlanInput({}, {P: record(1)}, {}, {P: there(1)}, kept=frozenset([P]))
    assert outcome(make_plan(known)) == ""


# -- more than one path


def test_files_of_a_folder_go_before_the_file_that_takes_its_place() -> None:
    written = {b"p/a": record(1), b"p/q/b": record(1), b"z": record(1)}
    remote = {b"p": FOLDER, b"p/q": FOLDER, **{path: there(1) for path in written}}
    plan = make_plan(PlanInput({P: here(1)}, written, {}, remote))
    assert plan.delete_first == [b"p/a", b"p/q/b"]
    assert plan.delete == [b"z"]
    assert outcome(plan) == "send"
    assert plan.deletions == 3


def test_a_file_goes_before_the_folder_that_takes_its_place() -> None:
    files = {path: here(1, path) for path in (b"p/a", b"p/q/b")}
    plan = make_plan(PlanInput(files, {P: record(1)}, {}, {P: there(1)}))
    assert (plan.delete_first, plan.delete) == ([P], [])
    assert {file.path for file in plan.send} == set(files)


def test_a_changed_file_in_the_way_of_a_folder_stays_and_holds_all_in_it_back() -> None:
    files = {b"p/a": here(1, b"p/a")}
    known = PlanInput(files, {P: record(1)}, {}, {P: there(9)}, remote_hashes={P: digest(9)})
    plan = make_plan(known)
    assert (plan.delete_first, plan.send) == ([], [])
    assert outcome(plan, b"p/a") == "p is not a folder on the host"


def test_a_link_of_others_above_is_never_passed() -> None:
    for force in (False, True):
        files = {b"p/q/a": here(1, b"p/q/a")}
        remote = {P: link_there(b"/etc"), b"p/q": FOLDER, b"p/q/a": there(1), b"p/q/b": there(1)}
        written = {b"p/q/a": record(1), b"p/q/b": record(1)}
        plan = make_plan(PlanInput(files, written, {}, remote, force=force))
        assert outcome(plan, b"p/q/a") == "p is not a folder on the host"
        assert outcome(plan, b"p/q/b") == "forget"
        assert not plan.held_back[0].yields_to_force


def test_what_is_seen_behind_igor_s_own_link_is_not_in_the_way_of_a_folder() -> None:
    files = {path: here(1, path) for path in (b"p/x", b"p/l/y")}
    remote = {P: link_there(b"other"), b"p/x": there(9), b"p/l": link_there(b"z"),
              b"p/l/y": there(8)}  # fmt: skip
    plan = make_plan(PlanInput(files, {P: link_record(b"other")}, {}, remote))
    assert plan.delete_first == [P]
    assert {file.path for file in plan.send} == set(files)


def test_twenty_thousand_files_are_planned() -> None:
    files = {b"d%d/f%d" % (n % 300, n): here(1, b"d%d/f%d" % (n % 300, n)) for n in range(20_000)}
    written = dict.fromkeys(files, record(1))
    remote = {path: there(1) for path in files}
    plan = make_plan(PlanInput(files, written, {}, remote))
    assert plan.unchanged == 20_000
