"""What persons decide: beside what the checks saw, once, with a reason, whatever happens after."""

from __future__ import annotations

import csv
import getpass
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.cli import main as cli
from autograder.course.config import Course
from autograder.errors import GraderError, InputError
from autograder.exports import base
from autograder.exports import gradescope as to_gradescope
from autograder.model import Adjustment, CheckResult, Result, Status, Visibility, total
from autograder.report import pages
from autograder.results import adjustments, files, roster, totals
from autograder.results.store import Store
from tests.handing import A4, A5, lost

DUE = "2026-10-12T23:59:00+02:00"
LATE = "2026-10-13T12:00:00+02:00"


def check(name: str, score: float, status: Status = Status.PARTIAL, **more: Any) -> CheckResult:
    return CheckResult(
        name, f"Title of {name}", 1, status, score, 4.0, Visibility.HIDDEN,
        message=f"{name} was seen", **more,
    )  # fmt: skip


ESSAY = {"rubric": ((4.0, "says why"),), "answer": "because"}


def result(student: str = "alice", one: float = 2.0, **more: Any) -> Result:
    """`one` and `two` are judged, `essay` waits for a person."""
    checks = (
        check("one", one, Status.FAILED if one == 0 else Status.PARTIAL, bugs=("missing_step",)),
        check("two", 4.0, Status.PASSED),
        check("essay", 0.0, Status.BY_HAND, **ESSAY),
    )
    score, most, _ = total(checks)
    known: dict[str, Any] = {"submission": "sha256:1", **more}
    return Result(A4, student, known.pop("submission"), "graded", score, most, checks, **known)


def course(**more: Any) -> Course:
    text = {"course": "c", "assignments": [A4, A5], "due": {A4: DUE}, "late": {"per_day": 0.25}}
    return Course.model_validate({**text, **more})


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of grades, in which we are; `tester` is who we are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(getpass, "getuser", lambda: "tester")
    monkeypatch.setattr(adjustments, "now", lambda: "2026-10-20T09:00:00+00:00")
    folder = tmp_path / "out"
    for r in (result(), result("bob", 0.0), lost("carol")):
        files.write_result(folder, r)
    totals.settle(folder, None)
    return folder


def run(command: str) -> str:
    """`autograder adjust …`; what it prints. Raises what `main` would tell."""
    done = CliRunner().invoke(cli.app, ["adjust", *shlex.split(command)])
    if done.exception is not None:
        raise done.exception
    return done.output


def table(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open(newline="", encoding="utf-8") as f:
        return {r["student"]: r for r in csv.DictReader(f) if r["assignment"] == A4}


def one(out: Path, student: str = "alice", rules: Course | None = None) -> Result:
    (row,) = [
        r
        for r in totals.rows(out, rules).results
        if (r.student, r.assignment) == (student, A4)
    ]  # fmt: skip
    return row


def stored(out: Path, student: str = "alice") -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(files.result_path(out, student, A4).read_text())
    return raw


# -- one decision ----------------------------------------------------------------------------------


def test_a_change_of_points_counts_and_what_was_seen_stays(out: Path) -> None:
    said = run('out alice one +1.5 --reason "the judge was too strict"')
    assert said.splitlines()[0] == f"alice {A4} one: 6 of 8 -> 7.5 of 8"
    row = one(out)
    assert (row.score, row.max_score, row.checks[0].score) == (7.5, 8.0, 3.5)
    assert row.checks[0].status is Status.PARTIAL and row.checks[0].bugs == ("missing_step",)
    assert row.seen is not None and row.seen.score == 6.0 and row.seen.checks == result().checks
    raw = stored(out)
    assert raw["score"] == 7.5 and raw["seen"]["score"] == 6.0, "the file says both"
    (kept,) = raw["checks"][0]["adjusted"]
    assert (kept["by"], kept["when"]) == ("tester", "2026-10-20T09:00:00+00:00")
    assert kept["reason"] == "the judge was too strict" and kept["saw"] == 2.0
    assert files.read_results(out)[0] == replace(row, person={})


def test_the_same_command_again_changes_nothing(out: Path) -> None:
    run("out alice one +1.5 --reason x --by ada")
    before = {p: p.read_bytes() for p in out.rglob("*") if p.suffix in (".json", ".csv", ".html")}
    assert "stands already; 7.5 of 8" in run("out alice one +1.5 --reason x")
    assert {p: p.read_bytes() for p in before} == before
    run("out alice one -1 --reason y")
    assert one(out).score == 6.5, "another reason is another change"
    assert run("out").splitlines() == [
        f"alice {A4} one: +1.5 points: x (ada, 2026-10-20)",
        f"alice {A4} one: -1 points: y (tester, 2026-10-20)",
    ]


def test_points_by_hand_take_the_place_of_waiting(out: Path) -> None:
    assert "4 of 8 -> 7 of 12" in run("out bob essay 3 --reason 'two of three reasons'")
    row = one(out, "bob")
    assert row.by_hand == () and row.checks[2].status is Status.PARTIAL
    assert "waits" not in table(out)["bob"]["message"]
    assert "two of three reasons" in table(out)["bob"]["message"]
    assert "7 of 12 -> 8 of 12" in run("out bob essay 4 --reason 'all of them'")
    assert [a.points for a in adjustments.read(out)] == [3.0, 4.0], "both are kept"
    assert one(out, "bob").checks[2].status is Status.PASSED
    run("out bob essay --withdraw")
    assert one(out, "bob") == result("bob", 0.0)
    assert "seen" not in stored(out, "bob")
    assert "nothing was decided there" in run("out bob essay --withdraw")
    assert [a.kind for a in adjustments.read(out)] == ["set", "set", "withdraw"]


def test_what_could_not_be_graded_takes_points_by_hand(out: Path) -> None:
    assert "ungradable -> 12 of 20" in run("out carol total 12 --reason 'read from paper'")
    assert (table(out)["carol"]["status"], table(out)["carol"]["score"]) == ("graded", "12")
    assert "12 of 20 -> 13 of 20" in run("out carol total +1 --reason neat")
    broken = replace(check("one", 0.0, Status.UNGRADABLE))
    files.write_result(out, replace(result("dora"), status="ungradable", checks=(broken,)))
    run("out dora one 2 --reason seen")
    assert (one(out, "dora").status, one(out, "dora").score) == ("graded", 2.0)


def test_a_comment_costs_nothing_and_is_read(out: Path) -> None:
    assert "noted; 6 of 8" in run("out alice two --comment 'nicely done'")
    assert one(out).checks[1].adjusted[0].words == "nicely done" and one(out).score == 6.0
    assert "nicely done" in (out / "report" / "students" / "alice.html").read_text()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("out alice one +3 --reason x", r"would have 5 of 4 points \(say --bonus"),
        ("out alice one -3 --reason x", r"has 2 points, of which 3 cannot go \(take at most 2"),
        ("out alice one 3 --reason x", r"has 2 points by the checks \(change them, with a sign"),
        ("out alice essay 5 --reason x", r"\(essay\) is worth 4 points, and these are 5"),
        ("out alice essay +1 --reason x", r"has no points yet \(give points by hand"),
        ("out carol total +1 --reason x", r"has no points yet"),
        ("out alice total 5 --reason x", r"04-training-loop has 6 points by the checks"),
        ("out carol total 21 --reason x", r"is worth 20 points"),
        ("out alice one +1", r"a decision needs a reason \(say it with --reason"),
        ("out alice one +1 --reason ' \x1b[0m'", "needs a reason"),
        ("out alice one +1 --reason " + "x" * 501, "the reason has 501 characters"),
        ("out alice one nan --reason x", "'nan' are no points"),
        ("out alice one 1e3 --reason x", "'1e3' are no points"),
        ("out alice one +5000 --reason x", "are no points"),
        ("out alice one 3 --bonus --reason x", "only a change can be a bonus"),
        ("out alice one -1 --bonus --reason x", "a bonus takes nothing away"),
        ("out alise one +1 --reason x", r"no result is of 'alise'; did you mean 'alice'\?"),
        ("out alice ones +1 --reason x", r"no check is called 'ones'; did you mean 'one'\?"),
        ("out carol one +1 --reason x", "only total, the whole, can be decided here"),
        (f"out alice one +1 -a {A5} --reason x", "has no result of 05-five-beats"),
        ("out alice", "needs a reason"),
        ("out alice --reason x", "no check is named"),
        ("out alice one 1 --withdraw", "--withdraw takes no points"),
        ("out alice --file x.csv", "--file holds all"),
        ("nowhere alice one +1 --reason x", "holds no results"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(out: Path, command: str, said: str) -> None:
    before = (out / "grades.csv").read_bytes()
    with pytest.raises(InputError, match=said) as caught:
        run(command)
    assert "\n" not in str(caught.value) and "(" in str(caught.value), "one line, with a remedy"
    assert not (out / adjustments.NAME).exists() and (out / "grades.csv").read_bytes() == before


def test_only_a_stated_bonus_goes_above_the_maximum(out: Path) -> None:
    assert "6 of 8 -> 9 of 8" in run("out alice one +3 --bonus --reason 'found our mistake'")
    assert one(out).checks[0].score == 5.0 and one(out).checks[0].status is Status.PASSED
    assert "may go above the maximum" in table(out)["alice"]["message"]
    run("out alice one -0.5 --reason 'but late to the lab'")
    assert one(out).checks[0].score == 4.5
    run("out bob one +1 --reason fair")
    run("out bob one +1 --bonus --reason fair")
    assert one(out, "bob").checks[0].score == 2.0, "the one is not the other"


def test_a_check_of_two_assignments_wants_one_named(out: Path) -> None:
    files.write_result(out, replace(result(), assignment=A5))
    with pytest.raises(InputError, match=f"say which, with -a: {A4}, {A5}"):
        run("out alice one +1 --reason x")
    run(f"out alice one +1 -a {A5} --reason x")
    assert one(out).score == 6.0
    assert [a.assignment for a in adjustments.read(out)] == [A5]


# -- lateness --------------------------------------------------------------------------------------


def test_checks_are_changed_before_lateness_and_the_whole_after_it(out: Path) -> None:
    files.write_result(out, result(submitted_at=LATE))
    rules = course()
    text = rules.model_dump(mode="json", include={"course", "assignments", "due", "late"})
    Path("grading_config.yml").write_text(json.dumps(text))
    assert one(out, rules=rules).score == 4.0, "a day: 2 of 8"
    run("out alice one +1 --reason x")
    assert one(out, rules=rules).score == 5.0
    run("out alice total +2 --reason 'was ill'")
    row = one(out, rules=rules)
    assert row.score == 7.0 and row.late is not None
    assert (row.late.raw_score, row.late.deducted) == (7.0, 2.0)
    for _ in range(2):
        totals.settle(out, rules)
    assert one(out, rules=rules) == row, "again and again"
    run("out alice essay 4 --reason x")
    row = one(out, rules=rules)
    assert (row.score, row.max_score) == (10.0, 12.0), "11 - 3 + 2"
    totals.settle(out, rules)
    assert one(out).score == 10.0, "where there is no course, as it was last reckoned"
    free = course(late={"per_day": 0.25, "extensions": {A4: {"alice": "2026-10-20T00:00Z"}}})
    assert one(out, rules=free).score == 12.0, "never above the maximum"


# -- what comes after ------------------------------------------------------------------------------


def test_a_resubmission_keeps_them_and_asks(out: Path) -> None:
    run("out alice essay 3 --reason good")
    run("out alice one +1 --reason fair")
    files.write_result(out, result(one=3.0, submission="sha256:2"))
    rows = totals.settle(out, None)
    assert rows.find(result()).score == 11.0 and len(rows.questions) == 2
    assert "about an earlier submission; it still counts" in rows.questions[0][1]
    attention = pages.write(out).read_text().partition("Needs a person")[2]
    assert "look again at what tester decided about essay" in attention.partition("</section>")[0]
    run("out alice essay 3 --reason good")
    said = run("out alice one +1 --reason fair")
    assert "look again" not in said and one(out).score == 11.0, "said again, it counts once"
    assert totals.rows(out, None).questions == ()


def test_a_judge_that_changed_asks_and_never_counts_twice(out: Path) -> None:
    run("out alice one +2 --reason 'the judge was wrong'")
    files.write_result(out, result(one=4.0))
    rows = totals.rows(out, None)
    assert rows.find(result()).score == 8.0, "not above the maximum"
    (asked,) = [why for _, why in rows.questions]
    assert "the checks gave 2 then and give 4 now" in asked
    files.write_result(out, replace(result(), checks=result().checks[1:]))
    (asked,) = [why for _, why in totals.rows(out, None).questions]
    assert "there is no such check any more" in asked


def test_nobody_loses_a_decision_by_a_new_name(out: Path) -> None:
    who = "student_id,name,email,group\ns1,Alice A,alice@x,\ns2,Bob B,bob@x,\n"
    (out / "people.csv").write_text(who)
    run("out alice one +1 --reason 'before there was a roster'")
    roster.keep(out, roster.read(out / "people.csv"))
    run("out alice@x two -1 --reason 'by the address'")
    assert [a.student for a in adjustments.read(out)] == ["alice", "s1"]
    files.write_result(out, result("Alice A"))
    files.write_result(out, replace(result(), gone=True))
    assert one(out, "Alice A").score == 5.0, "what is kept by the roster's id goes with the person"
    for path in (out / "results" / "alice").iterdir():
        path.unlink()
    (left,) = totals.rows(out, None).astray
    assert "nobody has this name here" in left.lost and left.reason == "before there was a roster"


def test_who_left_is_marked_though_a_person_decided(out: Path) -> None:
    run("out alice one +1 --reason x")
    for gone in (True, False):
        (here,) = [r for r in files.read_results(out) if r.student == "alice"]
        files.write_result(out, replace(here, gone=gone))  # as `provenance.mark` does
        totals.settle(out, None)
        assert (one(out).gone, one(out).score) == (gone, 7.0)


def test_a_groups_decision_is_everybodys(out: Path) -> None:
    who = "student_id,name,email,group\ns1,,alice@x,t\ns2,,dave@x,t\ns3,,erik@x,\n"
    (out / "people.csv").write_text(who)
    roster.keep(out, roster.read(out / "people.csv"))
    run("out s2 one +1 --reason x")
    assert [one(out, s).score for s in ("alice", "s2")] == [7.0, 7.0]
    later = result("dave", one=3.0, submitted_at=LATE, submission="sha256:2")
    files.write_result(out, later)
    files.write_result(out, result(submitted_at="2026-10-01T00:00Z"))
    assert {one(out, s).score for s in ("alice", "dave")} == {8.0}, "also of newer work"
    run("out s3 total 5 --reason 'oral exam'")
    assert (one(out, "s3").status, one(out, "s3").score) == ("graded", 5.0)
    assert table(out)["s3"]["score"] == "5"


def test_what_is_shown_is_the_same_everywhere(out: Path) -> None:
    run("out alice one +1.5 --reason '=HYPERLINK(1) <b>&'")
    run("out alice total +0.25 --reason tidy")
    row = one(out)
    rules = course(feedback={"hidden": "none"})
    assert table(out)["alice"]["score"] == "7.75"
    page = pages.feedback(out, [row], rules).decode()
    assert "<strong>7.75</strong>" in page and "By a person: +1.5 points: =HYPERLINK(1)" in page
    assert "<b>" not in page and "tester" not in page, "who it was is the staff's to know"
    index = pages.write(out).read_text()
    assert "What persons decided" in index and "tester, 2026-10-20" in index
    assert base.scaled(row, "8") == "7.75"
    said = base.comment(row, rules)
    assert said.startswith("7.75 of 8 points. By a person: +0.25 points: tidy.")
    assert "by a person: +1.5 points: =HYPERLINK(1)" in said and "Title of one" not in said
    raw = to_gradescope.results(row, course())
    assert raw["score"] == 7.75 and raw["tests"][0]["score"] == 3.5
    assert "By a person: +1.5 points" in raw["tests"][0]["output"]
    assert "tidy" in raw["output"]


# -- the file --------------------------------------------------------------------------------------


def test_a_file_of_decisions_counts_whole_or_not_at_all(out: Path) -> None:
    text = (
        "\ufeffStudent;Check;Points;Change;Reason;Bonus;By\n"
        "alice;essay;3,5;;gut;;\n"
        "bob;one;;1,5;a spreadsheet ate the plus;;kim\n"
        "bob;two;;;well done;;\n"
        "bob;total;;\u22121;rude;no;\n"
        "\n"
        "alice;one;+3;;extra;yes;\n"
    )
    Path("a.csv").write_text(text, encoding="utf-8")
    run("out --file a.csv")
    assert (one(out).score, one(out, "bob").score) == (12.5, 4.5)
    assert [a.by for a in adjustments.read(out)] == ["tester", "kim", "tester", "tester", "tester"]
    log = (out / adjustments.NAME).read_bytes()
    assert run("out --file a.csv").count("stands already") == 5
    assert (out / adjustments.NAME).read_bytes() == log
    for line, said in (
        ("zed;one;1;;x;;", r"a\.csv:8: column student, check, points: no result is of 'zed'"),
        ("bob;essay;5;;x;;", r"a\.csv:8: .*is worth 4 points"),
        ("bob;essay;1;1;x;;", r"a\.csv:8: column change: points by hand and a change"),
        ("bob;essay;one;;x;;", r"a\.csv:8: column points: 'one' are no points"),
        ("bob;essay;1;;;;", r"a\.csv:8: column reason: a decision needs a reason"),
        ("bob;one;+1;;x;maybe;", r"a\.csv:8: column bonus: 'maybe' is neither yes nor no"),
        ("bob;one;+1;;x;;;;", r"a\.csv:8: column reason: has 9 cells, and the header 7"),
    ):
        fresh = text.replace("gut", "besser").replace("3,5", "3,75")
        Path("a.csv").write_text(fresh + line + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=said):
            run("out --file a.csv")
        assert (out / adjustments.NAME).read_bytes() == log
    for head, said in (
        ("student;check", "has no column reason"),
        ("student;check;reason;pts", "has a column 'pts'"),
    ):
        Path("a.csv").write_text(head + "\n")
        with pytest.raises(InputError, match=said):
            run("out --file a.csv")


# -- the log ---------------------------------------------------------------------------------------


def test_a_decision_while_a_class_is_graded_is_taken_up(out: Path) -> None:
    with Store(out / "store.sqlite"):
        said = run("out alice one +1 --reason x")
    assert "6 of 8 -> 7 of 8" in said and "a grading is writing there now" in said
    assert table(out)["alice"]["score"] == "6"
    assert totals.settle(out, None).find(result()).score == 7.0


def test_a_run_that_died_before_the_table_is_made_good(out: Path, tmp_path: Path) -> None:
    """The log is written first, and whole: whatever comes next reads it."""
    said = Adjustment("alice", A4, "one", "add", 1.0, "x", "ada", "2026-10-20", "sha256:1", 2.0)
    adjustments.write(out, [said])
    assert one(out).score == 7.0 and table(out)["alice"]["score"] == "6"
    assert "stands already; 7 of 8" in run("out alice one +1 --reason x")
    assert table(out)["alice"]["score"] == "7"


def test_many_who_decide_at_once_lose_nothing(out: Path) -> None:
    def decide(i: int) -> None:
        said = Adjustment("alice", A4, "one", "add", 0.25, f"{i}", "ada", "2026-10-20")
        for _ in range(2):
            with adjustments.locked(out):
                adjustments.add(out, [said])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decide, range(24)))
    assert {a.reason for a in adjustments.read(out)} == {str(i) for i in range(24)}
    assert len(adjustments.read(out)) == 24


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": 2, "adjustments": []}',
        '{"schema": 1, "adjustments": [{"student": 1}]}',
        json.dumps(
            {"schema": 1, "adjustments": [asdict(Adjustment("a", "b", "", "add", 1e9, "", "", ""))]}
        ),
    ],
)
def test_a_log_that_is_none_stops_before_anything_changes(out: Path, text: str) -> None:
    (out / adjustments.NAME).write_text(text)
    before = (out / "grades.csv").read_bytes()
    for command in ("out", "out alice one +1 --reason x"):
        with pytest.raises(GraderError, match="cannot be read"):
            run(command)
    assert (out / "grades.csv").read_bytes() == before
