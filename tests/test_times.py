"""Times of handing in, from a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.formats.times import timed
from autograder.model import Program, Submission
from tests.handing import A4, A5


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
