"""Times of handing in, from a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.course import config
from autograder.course.config import Course
from autograder.errors import InputError
from autograder.intake.collect import collect
from autograder.intake.times import UNSTATED, timed
from autograder.model import Program, Submission
from autograder.results import lateness
from tests.handing import A4, A5, KNOWN, graded, put


def work(student: str, assignment: str = A4, **origin: str) -> Submission:
    program = Program("script", "x.py", ("x = 1",))
    return Submission(student, assignment, program, {}, "2026-01-01T00:00:00", origin=origin)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "times.csv"
    path.write_text(text)
    return path


def test_students_go_by_name_or_by_the_tools_number(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "submitted_at;note;student\n2026-10-13 00:20:00+02:00;x;1234\n2026-10-12T20:00Z;;ALICE\n"
        "2026-10-12T21:00Z;;nobody\n;;bob\n",
    )
    found = [work("doe_1234", user="1234"), work("alice"), work("bob"), work("carol")]
    now, strangers = timed(path, found)
    assert [s.submitted_at for s in now] == [
        "2026-10-13T00:20:00+02:00",
        "2026-10-12T20:00:00+00:00",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00",
    ]
    assert strangers == ["nobody"]
    assert [s.digest for s in now] == [s.digest for s in found], "no reason to run anything again"


def test_a_row_of_one_assignment_goes_before_one_of_all(tmp_path: Path) -> None:
    text = f"student,assignment,submitted_at\na,,2026-01-02T00:00Z\na,{A5},2026-01-03T00:00Z\n"
    now, _ = timed(table(tmp_path, text), [work("a", A4), work("a", A5)])
    assert [s.submitted_at[:10] for s in now] == ["2026-01-02", "2026-01-03"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,time\na,b\n", r"times.csv:1: has no columns student and submitted_at"),
        ("student,submitted_at\na,2026-01-01\nb,noon\n", r"times.csv:3: 'noon' is not a time"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        timed(table(tmp_path, text), [])


# -- the course's time zone, and nbgrader's file ---------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_time_without_an_offset_is_the_courses(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "student,submitted_at\na,2026-10-12 23:58\nb,2026-12-12T23:58:00\nc,2026-10-12T23:58Z\n",
    )
    found = [work("a"), work("b"), work("c")]
    now, _ = timed(path, found, BERLIN)
    assert [s.submitted_at for s in now] == [
        "2026-10-12T23:58:00+02:00",
        "2026-12-12T23:58:00+01:00",
        "2026-10-12T23:58:00+00:00",
    ]
    now, _ = timed(path, found)
    assert now[0].submitted_at == "2026-10-12T23:58:00+00:00"
    assert [s.notes for s in now] == [(UNSTATED,), (UNSTATED,), ()]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-10-12 23:58:00.123456 UTC", "2026-10-12T23:58:00+00:00"),
        ("2026-10-12 23:58:00", "2026-10-12T23:58:00+02:00"),
        ("2026-10-12 23:58:00 CEST", "2026-10-12T23:58:00+02:00"),
        ("2026-12-12 23:58:00 CET", "2026-12-12T23:58:00+01:00"),
        ("2026-12-12 23:58:00 CEST", ""),
        ("2026-10-12 23:58:00 EST", ""),
        ("2026-10-12T23:58:00-07:00", "2026-10-12T23:58:00-07:00"),
        ("2026-10-12 23:58:00 +0530", "2026-10-12T23:58:00+05:30"),
        ("2026-10-12 23:58:00Z", "2026-10-12T23:58:00+00:00"),
        ("2026-02-31 12:00:00", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_what_nbgraders_file_says(tmp_path: Path, said: str, read: str) -> None:
    put(tmp_path, {f"ann/{A4}/training_loop.py": "1", f"ann/{A4}/timestamp.txt": said + "\n"})
    (found,), _ = collect([tmp_path], None, KNOWN, zone=BERLIN)
    assert found.submitted_at == read and found.notes == ()
    if said == "2026-10-12 23:58:00":
        (found,), _ = collect([tmp_path], None, KNOWN)
        assert found.submitted_at.endswith("58:00+00:00") and found.notes == (UNSTATED,)


@pytest.mark.parametrize(
    "place",
    [
        "ann/timestamp.txt",
        "ann/training_loop/timestamp.txt|ann/training_loop/training_loop.py",
        f"ann/{A4}/sub/timestamp.txt|ann/{A4}/sub/training_loop.py",
        f"ann/{A4}/timestamp.txt|ann/{A4}/training_loop.py|ann/notes.md",
        f"ann/{A4}/timestamp.txt|ann/{A4}/training_loop.py|ann/.git/HEAD",
        f"ann/repo/{A4}/timestamp.txt|ann/repo/{A4}/training_loop.py",
    ],
)
def test_a_timestamp_of_a_students_own_says_nothing(tmp_path: Path, place: str) -> None:
    stamp, *others = place.split("|")
    others = others or ["ann/training_loop.py"]
    put(tmp_path, {stamp: "2020-01-01 00:00:00 UTC", **dict.fromkeys(others, "x = 1")})
    (found,), _ = collect([tmp_path], A4, KNOWN)
    assert found.submitted_at == ""


def test_due_times_and_extensions_are_in_the_courses_zone() -> None:
    rules = Course.model_validate(
        {
            "course": "c",
            "assignments": [A4],
            "timezone": "America/New_York",
            "due": {A4: "2026-10-31T23:59:00"},
            "late": {"per_day": 0.1, "extensions": {A4: {"bob": "2026-11-01T23:59:00"}}},
        }
    )
    assert not rules.floating
    in_time = replace(graded("ann", 20), submitted_at="2026-11-01T03:58:00+00:00")
    assert lateness.judged(in_time, rules).score == 20
    after = lateness.judged(replace(in_time, submitted_at="2026-11-01T04:00:00+00:00"), rules)
    assert after.late is not None and after.late.due == "2026-10-31T23:59:00-04:00"
    assert after.score == 18
    bob = lateness.judged(replace(after, student="bob", score=20, late=None), rules)
    assert bob.late is not None and bob.late.due == "2026-11-01T23:59:00-05:00", (
        "the clocks went back"
    )
    naive = replace(in_time, submitted_at="2026-10-31T23:58:00")
    assert lateness.judged(naive, rules).score == 20


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlinn", "there is no time zone 'Europe/Berlinn'; did you mean 'Europe/Berlin'"),
        ("../../etc/passwd", "there is no time zone"),
        ("Europe", "there is no time zone"),
        ("7", "a time zone is a name"),
    ],
)
def test_a_zone_that_is_none_is_one_line(tmp_path: Path, zone: str, said: str) -> None:
    path = tmp_path / "grading_config.yml"
    path.write_text(f"course: c\nassignments: []\ntimezone: {zone}\n")
    with pytest.raises(InputError, match=f"grading_config.yml:3: 'timezone': {said}"):
        config.load(path, Course)


def test_times_that_have_no_zone_at_all_are_known() -> None:
    text = {"course": "c", "assignments": [A4], "due": {A4: "2026-10-31T23:59:00"}}
    assert Course.model_validate(text).floating == ("2026-10-31T23:59:00",)
