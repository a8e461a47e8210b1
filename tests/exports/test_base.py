"""What every exporter shares: rows found by students, scaled points, fixed archives."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course.config import Course
from autograder.exports import base
from autograder.model import Status
from tests.handing import A4, A5, graded, late, lost, order


@pytest.mark.parametrize(
    ("score", "possible", "cell"),
    [
        (15.5, "20", "15.5"),
        (15.5, "20.00", "15.5"),
        (15.5, "20,00", "15,5"),
        (15.5, "100", "77.5"),
        (15.5, "1,000.00", "775"),
        (20 / 3, "20", "6.6667"),
        (15.5, "", "15.5"),
        (15.5, "pass/fail", "15.5"),
        (15.5, "0", "15.5"),
    ],
)
def test_scores_are_scaled_and_written_as_the_sheet_writes(
    score: float, possible: str, cell: str
) -> None:
    assert base.scaled(graded("a", score), possible) == cell


def test_a_comment_says_what_is_missing_and_stays_short() -> None:
    rules = Course.model_validate({"course": "c", "assignments": [A4]})
    check = graded("a").checks[0]
    passed = replace(check, title="Fine", status=Status.PASSED)
    both = replace(graded("a"), checks=(passed, replace(check, message="m\x1b[0m " * 2_000)))
    text = base.comment(late(both, 2.0), rules)
    assert text.startswith("14 of 20 points. Late: late. Gradients are cleared: m m")
    assert "Fine" not in text and len(text) == 2_000 and text.endswith("…")


def test_the_same_members_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "1.zip", tmp_path / "2.zip"
    base.archive(one, {"b": b"2", "a/ü": b"1"}, {"b": 0o755})
    base.archive(two, {"a/ü": b"1", "b": b"2"}, {"b": 0o755})
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as z:
        assert {i.date_time for i in z.infolist()} == {base.EPOCH}
        modes = {i.filename: stat.S_IMODE(i.external_attr >> 16) for i in z.infolist()}
    assert modes == {"a/ü": 0o644, "b": 0o755}


def test_assignments_come_in_the_courses_order(tmp_path: Path) -> None:
    other = replace(graded("z"), assignment=A5)
    unknown = replace(graded("y"), assignment="99-extra")
    given = order(tmp_path, other, unknown, graded("a"), replace(lost("b"), assignment=""))
    assert given.ids() == [A4, A5, "99-extra"] and given.of(A5) == [other]
