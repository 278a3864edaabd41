"""The benchmark counts, compares and reports rightly; nothing here is timed."""

import os
import struct
import threading
from pathlib import Path

import pytest

from tests.bench import BenchError, machine
from tests.bench.__main__ import DOCUMENT, Program, measure
from tests.bench.account import cgroup_parent, usage_ns
from tests.bench.contestants import CONTESTANTS, missing
from tests.bench.corpus import LARGE, SAVED, Corpus, write
from tests.bench.fit import Line, fit, ninth_tenth
from tests.bench.forks import Forks, fork_of
from tests.bench.goals import GOALS
from tests.bench.judge import above, all_of, at_most, bounds, faster, fixed_part
from tests.bench.report import BEGIN, END, fitted, into, report, table
from tests.bench.results import Outcome, Results, Score, dump, load
from tests.bench.scenarios import SCENARIOS
from tests.bench.tree import Tree, difference, nothing
from tests.bench.watch import Turn, Watch
from tests.lab.required import require_peer

SMALL = Corpus("small", 70, 200_000)


def score(**quantities: dict[float, float]) -> Score:
    found = Score()
    for quantity, by_rtt in quantities.items():
        for rtt, value in by_rtt.items():
            found.add(quantity, rtt, [value])
    return found


def results(**scores: Score) -> Results:
    return {"race": Outcome("A race", {"machine": "fast"}, 5, dict(scores))}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "here"
    write(SMALL, root)
    return Tree(root)


def copied(tree: Tree, tmp_path: Path) -> Path:
    """The tree once more, as on a host."""
    write(SMALL, tmp_path / "there")
    return tmp_path / "there"


# -- numbers


def test_the_line_through_three_distances_has_their_fixed_part_and_their_trips() -> None:
    line = fit({0: 2.1, 20: 12.1, 80: 42.1})
    assert line.fixed == pytest.approx(2.1)
    assert line.trips == pytest.approx(0.5)


def test_the_line_of_one_distance_has_no_trips() -> None:
    assert fit({20: 7.0}) == Line(7.0, None)


def test_nine_of_ten_samples_do_not_exceed_the_ninth_tenth() -> None:
    assert ninth_tenth([float(n) for n in range(10, 0, -1)]) == 9
    assert ninth_tenth([3.0]) == 3


def test_a_line_is_worded_with_its_sign() -> None:
    assert fitted(Line(342.4, -0.25)) == "342 - 0.25 RTT"
    assert fitted(Line(2.123, 0.5)) == "2.12 + 0.50 RTT"
    assert fitted(Line(2.123, None)) == "2.12"


# -- accounts of CPU time and processes


V1 = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
"""


def test_version_1_of_control_groups_is_preferred_where_it_counts_cpu_time() -> None:
    assert cgroup_parent(V1) == Path("/sys/fs/cgroup/cpu,cpuacct")


def test_version_2_is_taken_where_it_is_all_there_is() -> None:
    only = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
    assert cgroup_parent(only) == Path("/sys/fs/cgroup")
    assert cgroup_parent("proc /proc proc rw 0 0\n") is None


def test_version_2_counts_microseconds() -> None:
    assert usage_ns("usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n") == 1_234_000


def test_a_message_about_a_fork_names_parent_and_child() -> None:
    head = bytes(16 + 20)
    fork = struct.pack("=IIQIIII", 1, 0, 99, 10, 10, 11, 11)
    assert fork_of(head + fork + bytes(8)) == (10, 11, 11)
    exec_ = struct.pack("=IIQIIII", 2, 0, 99, 11, 11, 0, 0)
    assert fork_of(head + exec_) is None
    assert fork_of(head) is None


def test_forks_are_counted_in_the_family_and_threads_are_not() -> None:
    require_peer("root")
    forks = Forks([10])
    told = [(10, 11, 11), (11, 12, 12), (10, 13, 10), (99, 100, 100)]
    head = bytes(16 + 20)
    for parent, thread, child in told:
        event = struct.pack("=IIQIIII", 1, 0, 0, parent, parent, thread, child)
        forks.tell(head + event)
    assert forks.started == 2


# -- trees


def test_a_corpus_is_the_same_each_time_and_of_its_size() -> None:
    first, second = list(SMALL.contents()), list(SMALL.contents())
    assert first == second
    assert len(first) == SMALL.files
    assert sum(len(content) for _path, content in first) == SMALL.size
    assert len(dict(first)[SAVED]) == 10_000


def test_a_corpus_with_a_large_file_counts_it() -> None:
    corpus = Corpus("with large", 31, 5_300_000, has_large=True)
    contents = dict(corpus.contents())
    assert len(contents) == 31
    assert len(contents[LARGE]) == 5_000_000
    assert sum(map(len, contents.values())) == 5_300_000


def test_a_save_replaces_one_line_as_an_editor_told_of_it_does(tree: Tree) -> None:
    before = (tree.root / SAVED).read_text().split("\n")
    edit = tree.save(7)
    edit.apply()
    after = (tree.root / SAVED).read_text().split("\n")
    before[edit.line] = edit.text
    assert after == before
    assert edit.sights[0].is_seen(str(tree.root))


def test_a_change_is_not_seen_where_the_old_content_is(tree: Tree, tmp_path: Path) -> None:
    there = copied(tree, tmp_path)
    sights = (*tree.save(7).sights, *tree.save(104).sights)  # of the same length
    assert sights[0].size == sights[1].size or len("7") != len("104")
    assert not any(sight.is_seen(str(there)) for sight in sights)


def test_a_removal_is_seen_when_the_old_is_gone_and_the_new_is_there(tree: Tree) -> None:
    tree.before_removal(1).apply()
    edit = tree.remove(1)
    assert not all(sight.is_seen(str(tree.root)) for sight in edit.sights)
    edit.apply()
    assert all(sight.is_seen(str(tree.root)) for sight in edit.sights)


def test_a_difference_between_trees_is_named(tree: Tree, tmp_path: Path) -> None:
    there = copied(tree, tmp_path)
    assert difference(tree.root, there) == ""
    (there / "src" / "more.py").write_text("x")
    assert difference(tree.root, there) == "src/more.py is only on the host"
    (there / "src" / "more.py").unlink()
    (there / SAVED).write_text("x")
    assert difference(tree.root, there) == f"{SAVED} differs"


# -- waiting


def test_a_watch_sees_the_last_of_all_changes(tree: Tree, tmp_path: Path) -> None:
    there = copied(tree, tmp_path)
    edit = tree.save(3)
    watch = Watch([tree.root, there], edit.sights)
    edit.apply()
    late = Tree(there).save(3)
    timer = threading.Timer(0.1, late.apply)
    timer.start()
    times = watch.follow(Turn(lambda: 0), 10)
    watch.close()
    timer.join()
    assert times.visible is not None
    assert times.acknowledged is None
    assert late.sights[0].is_seen(str(there))


def test_a_change_that_never_comes_is_named(tree: Tree) -> None:
    watch = Watch([tree.root], tree.save(3).sights)
    with pytest.raises(BenchError, match=f"{SAVED} is not as it should be"):
        watch.follow(Turn(lambda: 0), 0.05)
    watch.close()


def test_an_answer_that_need_not_come_is_not_awaited_for_long(tree: Tree) -> None:
    edit = tree.save(3)
    edit.apply()
    reader, writer = os.pipe()
    watch = Watch([tree.root], edit.sights)
    times = watch.follow(Turn(lambda: 0, reader, patience=0.05), 10)
    watch.close()
    os.close(reader)
    os.close(writer)
    assert times.visible is not None
    assert times.acknowledged is None


def test_without_anything_to_see_only_the_answer_counts(tree: Tree) -> None:
    watch = Watch([tree.root], nothing().sights)
    times = watch.follow(Turn(lambda: 0), 0.05)
    watch.close()
    assert times.visible is None


# -- judging


def test_a_bound_holds_for_the_fixed_part_and_for_the_trips() -> None:
    found = results(igor=score(visible={0: 4.0, 20: 14.0, 80: 44.0}))
    assert bounds("race", "igor", "visible", fixed=5, trips=0.55)(found).reached
    assert bounds("race", "igor", "visible", fixed=3)(found).reached is False
    assert bounds("race", "igor", "visible", trips=0.4)(found).reached is False
    assert bounds("race", "igor", "acknowledged", trips=1)(found).reached is None


def test_one_distance_says_nothing_about_trips() -> None:
    found = results(igor=score(visible={20: 14.0}))
    assert bounds("race", "igor", "visible", trips=0.55)(found).reached is None


def test_an_answer_sooner_than_the_distance_allows_is_no_proof() -> None:
    found = results(igor=score(acknowledged={0: 105.0, 20: 106.0}))
    judged = bounds("race", "igor", "acknowledged", trips=1.1, possible=0.9)(found)
    assert judged.reached is None


def test_faster_looks_at_the_slowest_comparison() -> None:
    found = results(
        igor=score(visible={0: 2.0, 20: 10.0}), rsync=score(visible={0: 30.0, 20: 60.0})
    )
    assert faster("race", "igor", "visible", ("rsync",), 7, (0,))(found).reached
    assert faster("race", "igor", "visible", ("rsync",), 7)(found).reached is False
    assert faster("race", "igor", "visible", ("scp",), 7)(found).reached is None
    both = faster("race", "igor", "visible", ("rsync",), 6)(found)
    assert both.measured == "15.0 times rsync at 0, 6.0 times rsync at 20"


def test_above_and_fixed_part_compare_two() -> None:
    found = results(
        igor=score(stall={0: 1.9}, visible={0: 80.0}),
        plain=score(stall={0: 1.0}, visible={0: 81.0}),
    )
    assert above("race", "igor", "plain", "stall", 1)(found).reached
    assert above("race", "igor", "plain", "stall", 0.5)(found).reached is False
    assert fixed_part("race", "igor", "visible", "plain", 1.15)(found).reached
    assert fixed_part("race", "igor", "visible", "plain", 0.5)(found).reached is False


def test_all_of_is_reached_when_each_is() -> None:
    found = results(igor=score(cpu={0: 3.0}))
    yes, no = (at_most("race", "igor", "cpu", bound) for bound in (4, 2))
    unknown = at_most("race", "igor", "memory", 1)
    assert all_of(yes, yes)(found).reached is True
    assert all_of(yes, no, unknown)(found).reached is False
    assert all_of(yes, unknown)(found).reached is None


def test_who_failed_has_missed_the_goal() -> None:
    found = results(igor=Score(error="BenchError: no answer"))
    assert at_most("race", "igor", "cpu", 4)(found).reached is False


def test_goals_are_unknown_before_anything_is_measured() -> None:
    assert {goal.judge({}).reached for goal in GOALS} == {None}


def test_all_goals_can_be_reached_and_missed_by_what_scenarios_measure() -> None:
    quantities = ("visible", "cpu", "blocked", "stall", "peak memory", "idle cpu", "growth")
    names = {name: scenario.contestants for name, scenario in SCENARIOS.items()}
    names["idle"] = ("igor, agent idle",)

    def played(igor: float, peer: float) -> Results:
        found: Results = {}
        for scenario, contestants in names.items():
            scores = {}
            for name in contestants:
                value = igor if name.startswith("igor") else peer
                by_rtt = {rtt: value * (1 + rtt) for rtt in (0.0, 20.0, 80.0)}
                answers = {rtt: ms + rtt for rtt, ms in by_rtt.items()}
                scores[name] = score(**dict.fromkeys(quantities, by_rtt), acknowledged=answers)
            found[scenario] = Outcome(scenario, {}, 1, scores)
        return found

    best, worst = played(0.001, 100), played(10_000, 100)
    assert [goal.what for goal in GOALS if not goal.judge(best).reached] == []
    missed = [goal.what for goal in GOALS if goal.judge(worst).reached is False]
    assert missed == [goal.what for goal in GOALS if goal.promise != "as in a small one"]


# -- reporting


def test_results_survive_their_file(tmp_path: Path) -> None:
    found = results(igor=score(visible={0: 2.0, 20.0: 12.5}), rsync=Score(error="it broke"))
    path = tmp_path / "results.json"
    path.write_text(dump(found))
    assert load(path) == found
    assert load(tmp_path / "none.json") == {}


def test_a_table_has_the_medians_the_fit_and_the_ratios() -> None:
    found = results(
        igor=score(visible={0: 2.0, 20: 12.0}), rsync=score(visible={0: 20.0, 20: 120.0})
    )
    assert table(found["race"]).splitlines() == [
        "|  | visible, ms | fit | times the first line |",
        "| --- | --- | --- | --- |",
        "| igor | 2.00 / 12.0 | 2.00 + 0.50 RTT | 1.0 / 1.0 |",
        "| rsync | 20.0 / 120 | 20.0 + 5.00 RTT | 10.0 / 10.0 |",
    ]


def test_who_failed_is_named_with_the_error() -> None:
    text = report(results(igor=score(cpu={0: 1.0}), rsync=Score(error="BenchError: it\nbroke")))
    assert "**rsync failed**: BenchError: it broke" in text


def test_where_nobody_finished_there_is_no_table() -> None:
    text = report(results(rsync=Score(error="BenchError: it broke")))
    assert "`race`: nothing was measured." in text
    assert "| --- |\n\n**rsync" not in text


def test_results_of_other_machines_are_told_apart() -> None:
    first, second = results(igor=Score())["race"], results(igor=Score())["race"]
    second.setting = {"machine": "slow"}
    text = report({"first": first, "second": second})
    assert "`first`:\n\n- machine: fast" in text
    assert "`second`:\n\n- machine: slow" in text


def test_only_what_is_between_the_markers_is_replaced() -> None:
    old = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert into(old, "new") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no lines"):
        into("no markers", "new")


def test_the_document_has_a_place_for_results() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert "new" in into(text, "new")


def test_the_machine_is_described_and_an_absent_program_said() -> None:
    assert {"machine", "kernel", "versions"} <= machine.describe().keys()
    assert machine.version_of(["no-such-program-of-igor"]) == "(absent)"


# -- contestants


def test_scenarios_name_contestants_that_there_are() -> None:
    for scenario in SCENARIOS.values():
        assert set(scenario.contestants) <= CONTESTANTS.keys()
        assert len(scenario.contestants) == len(set(scenario.contestants))


def test_a_missing_contestant_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    name = "unison, warm ControlMaster"
    assert missing([name]) == [f"{name}: unison is missing; apt-get install unison"]
    scenario = SCENARIOS["noop-600"].only([name])
    with pytest.raises(BenchError, match="apt-get install unison"):
        list(measure(Program([scenario], [0.0])))


def play(names: list[str], scenarios: list[str]) -> None:
    """Small races, to the end and with numbers."""
    require_peer("root", "namespaces", "ssh", "sshd", "rsync", "git", "nvim 0.12")
    here = [name for name in names if not missing([name])]
    chosen = [SCENARIOS[name].quick().only(here) for name in scenarios]
    found = dict(measure(Program(chosen, [0.0])))
    for scenario in chosen:
        scores = found[scenario.name].scores
        assert {name: score.error for name, score in scores.items() if score.error} == {}
        assert all(score.numbers["cpu"][0.0].count == 2 for score in scores.values())


def test_each_peer_can_play() -> None:
    peers = [name for name in CONTESTANTS if not name.startswith("igor")]
    play(peers, ["save", "first-600"])


def test_igor_can_play_in_each_of_its_forms() -> None:
    forms = [name for name in CONTESTANTS if name.startswith("igor")]
    play(forms, ["save", "remove"])
