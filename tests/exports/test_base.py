"""What every exporter shares: tables that go back as they came, scaled points, fixed archives."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course.config import Course
from autograder.errors import InputError
from autograder.exports import base
from autograder.model import Result, Status
from tests.handing import A4, A5, graded, late, lost, order


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_goes_back_as_it_came(
    tmp_path: Path, encoding: str, delimiter: str, newline: str
) -> None:
    lines = [["Name", "Größe, cm", "Note"], ["Zoë", "a\nb", '"q"'], ["=1+1", "", "x; y"]]
    path, back = tmp_path / "in.csv", tmp_path / "back.csv"
    base.Table(lines, delimiter, encoding, newline).write(path)
    table = base.read_table(path)
    assert table.rows == lines and table.delimiter == delimiter
    table.write(back)
    assert back.read_bytes() == path.read_bytes()


def test_a_cell_can_be_put_where_the_row_is_short(tmp_path: Path) -> None:
    table = base.Table([["a", "b", "c"], ["1"]])
    assert table.cell(1, 2) == "" and table.cell(1, -1) == ""
    table.put(1, 2, "x")
    assert table.rows[1] == ["1", "", "x"]


def test_a_file_that_is_no_table_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        base.read_table(tmp_path / "nothing.csv")
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\0\n")
    with pytest.raises(InputError, match="is not a CSV file"):
        base.read_table(path)
    monkeypatch.setattr(base, "TABLE_CAP", 8)
    path.write_bytes(b"a,b\n" * 3)
    with pytest.raises(InputError, match="too large"):
        base.read_table(path)


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


def test_a_name_that_fits_two_rows_fits_none() -> None:
    table = base.Table([["1", "ann"], ["2", "ANN"], ["3", "2"]])
    assert base.find_row(table, range(3), [1], ["ann"]) is None
    assert base.find_row(table, range(3), [0, 1], ["2"]) == 1, "the first column goes first"
    assert base.find_row(table, range(3), [1], ["x"]) is None


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
    return base.rows_of(base.Table(rows), range(5), [1, 2, 3], [0], results)


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
