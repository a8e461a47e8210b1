"""What every exporter shares: rows found by students, scaled points, fixed archives."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course.config import Course
from autograder.exports import base
from autograder.intake.tables import Table
from autograder.model import Result, Status
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


# -- who is who ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("student", "name"),
    [
        ("Alice Andersson", "Andersson, Alice"),
        ("alice_andersson", "Andersson, Alice"),
        ("andersson-alice", "Andersson, Alice"),
        ("aliceandersson", "Andersson, Alice"),
        ("anderssonalice", "Andersson, Alice"),
        ("ANDERSSON, ALICE", "Alice Andersson"),
        ("Zoe Muller", "Müller, Zoë"),
        ("José María García López", "García López, José María"),
        ("Sean O'Brien", "O\u2019Brien, Sean"),
        ("obrien sean", "O'Brien, Sean"),
        ("Jean-Luc Picard", "Picard, Jean Luc"),
        ("王小明", "王小明"),
        ("Cher", "Cher"),
    ],
)
def test_a_name_is_the_same_in_either_order(student: str, name: str) -> None:
    assert base.spellings(student) & base.spellings(name)


@pytest.mark.parametrize(
    ("student", "name"),
    [
        ("Alice Andersson", "Andersson, Alina"),
        ("Alice Andersson", "Andersson, Alice Maria"),
        ("Alice", "Andersson, Alice"),
        ("Andersson", "Andersson, Alice"),
        ("1234", "1234"),
        ("", ""),
        ("---", "..."),
        ("Alice Bo", "Ali Cebo"),
    ],
)
def test_no_name_is_guessed(student: str, name: str) -> None:
    if (student, name) != ("Alice Bo", "Ali Cebo"):
        assert not base.spellings(student) & base.spellings(name)


def rows_of(*results: Result) -> tuple[dict[str, int], dict[str, str]]:
    rows = [
        ["Andersson, Alice", "7", "al7", "alice@x.org"],
        ["Andersson, Bob", "8", "al8", "bob@x.org"],
        ["Lee, Kim", "9", "9x", "kim@x.org"],
        ["Kim, Lee", "10", "10x", "lee@x.org"],
        ["Seven", "x", "7", "seven@x.org"],
    ]
    return base.rows_of(Table(rows), range(5), [1, 2, 3], [0], results)


def test_rows_are_told_by_ids_then_by_names_and_never_guessed() -> None:
    from_moodle = {"tool": "moodle", "user": "8", "name": "Alice Andersson"}
    from_gradescope = {"tool": "gradescope", "user": "8", "emails": ["BOB@x.org"]}
    found, why = rows_of(
        graded("Alice Andersson_8", origin=from_moodle),
        graded("Robert_8", origin=from_gradescope),
        graded("kim lee"),
        graded("7"),
        graded("nobody"),
    )
    assert found == {"Alice Andersson_8": 0, "Robert_8": 1}, "Moodle's number is no school's"
    assert why == {"kim lee": "fits 2 rows", "7": "fits 2 rows", "nobody": ""}


def test_two_students_who_fit_one_row_get_neither() -> None:
    found, why = rows_of(graded("alice andersson"), graded("Andersson Alice"), graded("al8"))
    assert found == {"al8": 1}
    assert set(why.values()) == {"fits a row that another student fits, too"}
