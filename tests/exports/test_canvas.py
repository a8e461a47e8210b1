"""Canvas: its gradebook and its feedback zip go back."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.exports import canvas
from tests.handing import (
    A4,
    A5,
    graded,
    late,
    lost,
    members,
    order,
    take,
)
from tests.intake.test_canvas import messy

HEADER = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (500),04-Training-Loop (991),Final Score"
)
BOOK = f"""{HEADER}
,,,,,Manual Posting,,(read only)
    Points Possible,,,,,10,20,(read only)
"Doe, Jane",1234,U1,jane,Lab 1,9,3,80
=cmd|x,77,U2,zoe,Lab 1,7,,70
"Student, Test",55,,tester,Lab 1,,,
"Bee, Bob",56,S-9,77,Lab 2,5,11,
"""


def origin(user: str) -> dict[str, object]:
    file = f"x_{user}_1_training_loop.py"
    return {"tool": "canvas", "user": user, "file": file, "late": False}


def book(tmp_path: Path, text: str = BOOK) -> Path:
    path = tmp_path / "book.csv"
    path.write_bytes(text.encode())
    return path


def rows(tmp_path: Path) -> list[list[str]]:
    with (tmp_path / "to" / "gradebook.csv").open(newline="", encoding="utf-8-sig") as f:
        return list(csv.reader(f))


def test_only_the_cells_of_the_grades_change(tmp_path: Path) -> None:
    results = [
        graded("doejane_1234", 15.5, origin("1234")),
        late(graded("zoe_77", 16.0, origin("77")), 2.0),
        lost("bee_56", origin("56")),
        graded("gone_S-9", 1.0, origin("S-9")),
    ]
    given = order(tmp_path, *results, gradebook=book(tmp_path))
    said = canvas.export(given)
    expected = list(csv.reader(BOOK.splitlines()))
    expected[3][6], expected[4][6] = "15.5", "14"
    assert rows(tmp_path) == expected, "an id of Canvas is nobody's login"
    assert said[0] == f"{A4}: 2 grades"
    assert given.missed == [
        f"{A4}: bee_56: could not be graded; the cell is as it was",
        f"{A4}: gone_S-9: not in the gradebook",
    ]


def test_students_from_elsewhere_are_found_by_sis_id_or_login(tmp_path: Path) -> None:
    results = [graded("u1", 1.0), graded("tester", 2.0), graded("S-9", 3.0), graded("bob", 4.0)]
    given = order(tmp_path, *results, gradebook=book(tmp_path))
    canvas.export(given)
    assert [r[6] for r in rows(tmp_path)[3:]] == ["1", "", "2", "3"]
    assert given.missed == [f"{A4}: bob: not in the gradebook"]


def test_grades_are_scaled_to_the_points_possible(tmp_path: Path) -> None:
    text = BOOK.replace(",10,20,", ",10,100,")
    canvas.export(
        order(tmp_path, graded("d", 15.5, origin("1234")), gradebook=book(tmp_path, text))
    )
    assert rows(tmp_path)[3][6] == "77.5"


def test_marks_and_decimals_of_the_sheet_are_kept(tmp_path: Path) -> None:
    text = "\ufeff" + BOOK.replace(",10,20,", ',10,"20,00",').replace("\n", "\r\n")
    rest = (
        text.replace('"Doe, Jane"', "Doe")
        .replace('"Student, Test"', "T")
        .replace('"Bee, Bob"', "B")
    )
    text = rest.replace('"20,00"', "20#00").replace(",", ";").replace("#", ",")
    canvas.export(
        order(tmp_path, graded("d", 15.5, origin("1234")), gradebook=book(tmp_path, text))
    )
    raw = (tmp_path / "to" / "gradebook.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfStudent;ID;") and raw.count(b"\r\n") == 7
    assert b"Doe;1234;U1;jane;Lab 1;9;15,5;80\r\n" in raw


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({A4: "Homework"}, "no column fits 04-training-loop; its assignments are: 'Quiz 1"),
        ({A5: "Quiz 1 (500)"}, "no column fits 04-training-loop"),
    ],
)
def test_a_column_is_never_guessed(tmp_path: Path, columns: dict[str, str], said: str) -> None:
    text = BOOK.replace("04-Training-Loop (991)", "Lab (991)")
    given = order(tmp_path, graded("d"), gradebook=book(tmp_path, text), columns=columns)
    with pytest.raises(InputError, match=said) as caught:
        canvas.export(given)
    assert "--column" in str(caught.value) and not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("title", "fits"),
    [
        ("Lab 4 - Training Loop", True),
        ("04-training-loop", True),
        ("04 training loop!", True),
        ("My training_loop", True),
        ("Training loops", False),
        ("Strainingloop", False),
    ],
)
def test_a_column_is_found_by_the_words_of_the_id(tmp_path: Path, title: str, fits: bool) -> None:
    text = BOOK.replace("04-Training-Loop (991)", f"{title} (991)")
    given = order(tmp_path, graded("d", 2.0, origin("1234")), gradebook=book(tmp_path, text))
    if fits:
        canvas.export(given)
        assert rows(tmp_path)[3][6] == "2"
    else:
        with pytest.raises(InputError, match="no column fits"):
            canvas.export(given)


def test_two_columns_that_fit_are_asked_about(tmp_path: Path) -> None:
    text = BOOK.replace("Quiz 1 (500)", "Training loop again (500)")
    text = text.replace("04-Training-Loop (991)", "The training loop (991)")
    with pytest.raises(InputError, match="several columns fit"):
        canvas.export(order(tmp_path, graded("d"), gradebook=book(tmp_path, text)))


@pytest.mark.parametrize("stated", ["Lab (991)", "991", "Lab"])
def test_a_column_can_be_named(tmp_path: Path, stated: str) -> None:
    text = BOOK.replace("04-Training-Loop (991)", "Lab (991)")
    canvas.export(
        order(
            tmp_path,
            graded("d", 2.0, origin("1234")),
            gradebook=book(tmp_path, text),
            columns={A4: stated},
        )
    )
    assert rows(tmp_path)[3][6] == "2"


def test_without_a_gradebook_one_is_written(tmp_path: Path) -> None:
    names = [graded("doe_1", 16.0, origin("1")), graded("=cmd|' /C'!A0"), lost("x_3", origin("3"))]
    given = order(tmp_path, *names)
    said = canvas.export(given)
    assert said[0] == f"{A4}: 2 grades, in a gradebook made anew"
    assert given.missed == [
        f"{A4}: x_3: could not be graded, and so has no grade in the new gradebook"
    ]
    assert rows(tmp_path) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", A4],
        ["    Points Possible", "", "", "", "", "20"],
        ["'=cmd|' /C'!A0", "", "", "'=cmd|' /C'!A0", "", "16"],
        ["doe_1", "1", "", "", "", "16"],
    ], "and nobody without a grade is in it"


def test_feedback_goes_back_under_the_downloaded_names(tmp_path: Path) -> None:
    folder = messy(tmp_path)
    found, refused = take(folder)
    results = [graded(s.student, 16.0, s.origin) for s in found.values()]
    results += [lost(r.student, r.origin) for r in refused.values()]
    canvas.export(order(tmp_path, *results, graded("alice")))
    first = (tmp_path / "to" / f"{A4}-feedback.zip").read_bytes()
    inside = members(tmp_path / "to" / f"{A4}-feedback.zip")
    assert inside["doejane_1234_5678_training_loop.ipynb.html"] == b"<p>doejane_1234</p>"
    assert len(inside) == len(results) - 2, "all but a text and a link, which carry no attachment"
    for name in inside:
        numbers = [part for part in name.split("_") if part.isdigit()]
        assert len(numbers) >= 2, "Canvas finds student and attachment by the first two"
    canvas.export(order(tmp_path, *results))
    assert (tmp_path / "to" / f"{A4}-feedback.zip").read_bytes() == first


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04...", "is not a CSV file"),
        ("Student,ID\n".encode("utf-16"), "is not a CSV file"),
        (b"a,b\n1,2\n", "no row with the columns Student and ID"),
        (b'Student,ID\n"open', "is not a CSV file"),
    ],
)
def test_what_is_no_gradebook_is_one_line(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "book.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=said) as caught:
        canvas.export(order(tmp_path, graded("d"), gradebook=path))
    assert "\n" not in str(caught.value)


def test_the_rosters_ids_find_the_rows(tmp_path: Path) -> None:
    """Two whose work goes by the same first name, of whom one login tells the wrong one."""
    jane = {"student_id": "U1", "name": "Doe, Jane", "email": "jane@x.org", "section": "Lab 1"}
    work = replace(graded("tester", 15.5), person=jane)
    given = order(tmp_path, work, gradebook=book(tmp_path))
    canvas.export(given)
    assert [r[6] for r in rows(tmp_path)[3:]] == ["15.5", "", "", "11"] and not given.missed
    fresh = order(tmp_path, work)
    canvas.export(fresh)
    assert rows(tmp_path)[-1] == ["Doe, Jane", "", "U1", "jane@x.org", "Lab 1", "15.5"]
