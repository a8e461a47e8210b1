"""The late policy: boundaries of time, what they cost, and where it is shown."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.course import config
from autograder.course.config import Course, LatePolicy
from autograder.errors import ConfigError
from autograder.model import CheckResult, Result, Status, Visibility
from autograder.report import pages
from autograder.results import files, lateness, totals

A = "04-training-loop"
DUE = "2026-10-12T23:59:00+02:00"


def course(**policy: Any) -> Course:
    text = {"course": "c", "assignments": [A], "due": {A: DUE}, "late": policy}
    return Course.model_validate(text)


def result(when: str, score: float = 20.0, **more: Any) -> Result:
    check = CheckResult("one", "One", 1, Status.PASSED, score, 20.0, Visibility.PUBLIC)
    return Result(
        A, "alice", "sha256:0", "graded", score, 20.0, (check,), submitted_at=when, **more
    )


POLICY = {"grace_minutes": 15, "per_day": 0.1, "cap": 0.5}


@pytest.mark.parametrize(
    ("when", "days", "score"),
    [
        ("2026-10-12T12:00:00+02:00", 0, 20.0),  # half a day early
        ("2026-10-12T23:59:00+02:00", 0, 20.0),  # to the second
        ("2026-10-13T00:14:00+02:00", 0, 20.0),  # the last second of grace
        ("2026-10-13T00:14:01+02:00", 1, 18.0),  # and the first after it
        ("2026-10-13T23:59:00+02:00", 1, 18.0),  # one day, to the second
        ("2026-10-13T23:59:01+02:00", 2, 16.0),
        ("2026-10-17T23:59:00+02:00", 5, 10.0),
        ("2026-11-30T12:00:00+01:00", 49, 10.0),  # the cap holds
    ],
)
def test_days_are_charged_as_they_begin(when: str, days: int, score: float) -> None:
    found = lateness.judged(result(when), course(**POLICY))
    assert found.late is not None
    assert (found.late.late, found.late.days, found.score) == (days > 0, days, score)
    assert found.raw_score == 20.0 and found.late.deducted == 20.0 - score
    assert bool(found.late.message) == (days > 0)


def test_times_are_instants_whatever_their_offset() -> None:
    """Summer time ends on 25 October 2026: 23:30+01:00 then is 24.5 hours after 23:59+02:00."""
    spec = Course.model_validate(
        {
            "course": "c",
            "assignments": [A],
            "due": {A: "2026-10-24T23:59:00+02:00"},
            "late": {"per_day": 0.1},
        }
    )
    for when, days in (
        ("2026-10-24T21:59:00", 0),  # without an offset it is UTC
        ("2026-10-24T21:59:01+00:00", 1),
        ("2026-10-24T14:59:00-07:00", 0),
        ("2026-10-25T22:58:59+01:00", 1),  # 24 hours after, though the wall clock says 23
        ("2026-10-25T22:59:01+01:00", 2),
        ("2026-10-25T23:30:00+01:00", 2),
    ):
        found = lateness.judged(result(when), spec).late
        assert found is not None and found.days == days, when


def test_a_time_without_an_offset_is_utc_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert config.instant("2026-10-12T12:00") == config.instant("2026-10-12T12:00Z")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_deduction_never_goes_below_zero_and_is_of_the_maximum() -> None:
    spec = course(per_day=0.1)
    poor = lateness.judged(result("2026-10-14T12:00:00+02:00", score=3.0), spec)
    assert poor.score == 0.0 and poor.late is not None and poor.late.deducted == 3.0
    assert lateness.deduction(timedelta(days=30), 20.0, LatePolicy(per_day=0.1)) == 20.0
    assert lateness.deduction(timedelta(hours=1), 20.0, LatePolicy()) == 0.0
    third = lateness.deduction(timedelta(hours=1), 10.0, LatePolicy(per_day=1 / 3))
    assert third == 3.3333


def test_an_extension_moves_one_students_deadline() -> None:
    until = {A: {"alice": "2026-10-14T23:59:00+02:00", "77": "2026-10-15T23:59:00+02:00"}}
    spec = course(**POLICY, extensions=until)
    when = "2026-10-15T12:00:00+02:00"
    alice = lateness.judged(result(when), spec)
    bob = lateness.judged(replace(result(when), student="bob"), spec)
    by_id = lateness.judged(replace(result(when), student="carol_77", origin={"user": "77"}), spec)
    mail = lateness.judged(
        replace(result(when), student="?", origin={"emails": ["x@y", "77"]}), spec
    )
    assert mail.score == 20.0
    assert (alice.score, bob.score, by_id.score) == (18.0, 14.0, 20.0)
    assert alice.late is not None and alice.late.due == until[A]["alice"]
    assert lateness.deadline(spec, A, ["alice", "77"]) == until[A]["77"], "the latest of them"
    far = {A: {"alice": "2026-10-14T23:59:00-10:00", "77": "2026-10-15T01:00:00+02:00"}}
    assert lateness.deadline(course(extensions=far), A, ["77", "alice"]) == far[A]["alice"]
    assert lateness.deadline(spec, "05", ["alice"]) is None


def test_nothing_is_deducted_where_a_time_is_unknown() -> None:
    spec = course(**POLICY)
    assert lateness.judged(result(""), spec).late is None
    assert lateness.judged(result("yesterday"), spec).late is None
    no_due = Course.model_validate({"course": "c", "assignments": [A], "late": POLICY})
    assert lateness.judged(result("2030-01-01T00:00:00Z"), no_due) == result("2030-01-01T00:00:00Z")
    marked = lateness.judged(result("", origin={"tool": "canvas", "late": True}), spec)
    assert marked.late is not None and marked.late.late and marked.score == 20.0
    assert "no points are off" in marked.late.message
    assert lateness.judged(result("2026-12-01T00:00:00Z"), None).late is None


def test_ungradable_stays_so_and_loses_nothing() -> None:
    lost = replace(result("2026-10-20T00:00:00Z"), status="ungradable", score=5.0)
    found = lateness.judged(lost, course(**POLICY))
    assert found.status == "ungradable" and found.score == 5.0, "what its other checks gave"
    assert found.late is not None and found.late.late and found.late.deducted == 0.0


def test_it_may_be_applied_again_and_again(tmp_path: Path) -> None:
    """Also through the file: an extension granted afterwards gives the points back."""
    files.write_result(tmp_path, result("2026-10-14T12:00:00+02:00"))
    strict, kind = (
        course(**POLICY),
        course(**POLICY, extensions={A: {"alice": "2026-10-15T00:00Z"}}),
    )
    first = totals.settle(tmp_path, strict).results
    assert [r.score for r in first] == [16.0] and totals.settle(tmp_path, strict).results == first
    assert [r.score for r in files.read_results(tmp_path)] == [16.0]
    raw = json.loads(files.result_path(tmp_path, "alice", A).read_text())
    assert raw["score"] == 16.0 and raw["late"]["raw_score"] == 20.0 and raw["late"]["days"] == 2
    assert [r.score for r in totals.settle(tmp_path, kind).results] == [20.0]
    assert [r.score for r in totals.settle(tmp_path, None).results] == [20.0]


def test_it_is_shown_in_the_table_and_on_the_page(tmp_path: Path) -> None:
    spec = course(**POLICY)
    files.write_result(tmp_path, result("2026-10-14T12:00:00+02:00"))
    totals.settle(tmp_path, spec)
    with (tmp_path / "grades.csv").open(newline="") as f:
        (row,) = csv.DictReader(f)
    assert (row["score"], row["late"]) == ("16", "yes")
    said = f"handed in 1 day 12 hours 1 minute after {DUE}: 4 points off"
    assert said in row["message"]
    page = pages.feedback(tmp_path, files.read_results(tmp_path), spec).decode()
    assert "handed in 1 day 12 hours 1 minute after 2026-10-12T23:59:00" in page
    assert "2 days begun, 10 % of 20 a day, at most 50 %" in page
    assert "20 before that" in page and "<strong>16</strong>" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("due: {a: 2026-10-12}", r"'due\.a': 2026-10-12 has no time of day"),
        ("due: {a: '2026-10-12'}", "has no time of day"),
        ("due: {a: next Monday}", "'next Monday' is not a time; write"),
        (
            "due: {a: '2026-10-12T20:00'}\nlate: {extensions: {b: {x: '2026-10-13T20:00'}}}",
            "no due",
        ),
        (
            "due: {a: '2026-10-12T20:00'}\nlate: {extensions: {a: {x: '2026-10-11T20:00'}}}",
            "the extension of 'x' ends before 'a' is due",
        ),
        ("late: {per_day: 10}", r"'late\.per_day'"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "grading_config.yml"
    path.write_text(f"course: c\nassignments: [a]\n{text}\n")
    with pytest.raises(ConfigError, match=said) as caught:
        config.load(path, Course)
    assert "Value error" not in str(caught.value)


def test_a_time_needs_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "grading_config.yml"
    path.write_text("course: c\nassignments: [a]\ndue: {a: 2026-10-12T23:59:00+02:00}\n")
    assert config.load(path, Course).due == {"a": "2026-10-12T23:59:00+02:00"}


def test_the_handbook_reckons_right() -> None:
    """The example of docs/instructors.md, with the figures that stand below it."""
    handbook = Path(__file__).parents[2] / "docs" / "instructors.md"
    text = handbook.read_text().split("## Late work")[1].split("```yaml\n")[1].split("```")[0]
    spec = Course.model_validate({"course": "c", "assignments": [A], **yaml.safe_load(text)})
    for after, lost in (("00:14:00", 0), ("00:15:00", 2), ("1 01:00", 4), ("9 00:00", 10)):
        days, _, clock = after.rpartition(" ")
        hours, minutes = map(int, clock.split(":")[:2])
        span = timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=59)
        when = (config.instant(DUE) + span).isoformat()
        assert 20 - lateness.judged(replace(result(when), student="bob"), spec).score == lost, after
    assert lateness.judged(result("2026-10-19T12:00:00+02:00"), spec).score == 20
