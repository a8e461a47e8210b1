"""Canvas: its zip of submissions is taken in, its gradebook and its feedback zip go back."""

from __future__ import annotations

import csv
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
    notebook,
    order,
    put,
    take,
    tarred,
    zipped,
)

MESSY: dict[str, str | bytes] = {
    "doejane_1234_5678_training_loop.ipynb": '{"cells": [], "nbformat": 4}',
    "müllerzoë_LATE_77_9001_training_loop.py": "late = 1",
    "lastly_55_9002_training_loop-2.py": "third = 1",
    "lastly_55_9000_helper-1.py": "helper = 1",
    "lastly_55_8999_figures-1.csv": "1,2",
    "o-brien_late_88_9100_my_final_training_loop_2024_10.py": "lower = 1",
    "team-a_99_9200_work.zip": b"",
    "writer_66_text.html": "<p>my code</p>",
    "linker_67_link.html": "<a>",
    "pdf_68_9300_homework.pdf": "%PDF",
    "roster.csv": "a,b",
    ".DS_Store": "x",
}


def messy(tmp_path: Path) -> Path:
    inner = zipped(tmp_path / "w.zip", {"training_loop.py": "t = 1", "lib/a.py": "a = 1"})
    files = {**MESSY, "team-a_99_9200_work.zip": inner.read_bytes()}
    return put(tmp_path / "class", files)


def test_a_class_is_taken_in(tmp_path: Path) -> None:
    found, refused = take(messy(tmp_path))
    assert sorted(found) == [
        "doejane_1234", "lastly_55", "müllerzoë_77", "o-brien_88", "team-a_99",
    ]  # fmt: skip
    assert {s.assignment for s in found.values()} == {A4}
    lastly = found["lastly_55"]
    assert sorted(lastly.files) == [
        "figures-1.csv", "figures.csv", "helper.py", "training_loop.py",
    ], "programs get back the names they import each other by"  # fmt: skip
    assert sorted(found["team-a_99"].files) == ["lib/a.py", "training_loop.py"]
    assert [s for s in found if found[s].origin["late"]] == ["müllerzoë_77", "o-brien_88"]
    assert found["doejane_1234"].origin == {
        "tool": "canvas",
        "user": "1234",
        "file": "doejane_1234_5678_training_loop.ipynb",
        "late": False,
    }
    assert sorted(refused) == ["linker_67", "pdf_68", "writer_66"]
    assert "typed in or linked" in refused["writer_66"].reason
    assert refused["pdf_68"].origin["user"] == "68"


def test_the_zip_and_its_folder_and_a_single_file_name_the_same_students(tmp_path: Path) -> None:
    folder = messy(tmp_path)
    archive = zipped(
        tmp_path / "submissions.zip", {p.name: p.read_bytes() for p in folder.iterdir()}
    )
    assert take(archive)[0].keys() == take(folder)[0].keys()
    (alone,) = take(folder / "doejane_1234_5678_training_loop.ipynb")[0].values()
    assert alone == take(folder)[0]["doejane_1234"]


def test_of_several_uploads_the_newest_is_graded(tmp_path: Path) -> None:
    files = {
        "ann_5_30_training_loop.py": "first = 1",
        "ann_5_10_training_loop-10.py": "last = 1",
        "ann_5_20_training_loop-2.py": "middle = 1",
    }
    found, _ = take(put(tmp_path, files))
    ann = found["ann_5"]
    assert ann.program.text == "last = 1" and list(ann.files) == ["training_loop.py"]
    assert "training_loop-2.py (uploaded again as training_loop-10.py)" in " ".join(ann.notes)
    assert ann.origin["file"] == "ann_5_10_training_loop-10.py"


def test_two_who_share_a_name_stay_two(tmp_path: Path) -> None:
    files = {"doe_1_10_training_loop.py": "a = 1", "doe_2_11_training_loop.py": "b = 1"}
    found, _ = take(put(tmp_path, files))
    assert sorted(found) == ["doe_1", "doe_2"]


def test_anonymous_work_keeps_its_pseudonym(tmp_path: Path) -> None:
    files = {
        "anon_x1Yz9_10_training_loop.py": "a = 1",
        "LATE_anon_b2B2b_11_training_loop.py": "b = 1",
        "anon_c3C3c_text.html": "no",
    }
    found, refused = take(put(tmp_path, files))
    assert sorted(found) == ["anon_b2B2b", "anon_x1Yz9"] and list(refused) == ["anon_c3C3c"]
    assert found["anon_b2B2b"].origin["late"] and not found["anon_x1Yz9"].origin["late"]
    assert found["anon_x1Yz9"].origin["user"] == "anon_x1Yz9"


def test_names_that_only_look_a_little_like_canvas_stay_plain(tmp_path: Path) -> None:
    files = {"alice.py": "1", "bob.py": "2", "carol_2024_10_work.py": "3"}
    found, _ = take(put(tmp_path, files), A4)
    assert sorted(found) == ["alice", "bob", "carol_2024_10_work"]


def test_no_name_is_too_long_or_too_odd(tmp_path: Path) -> None:
    """Numbers beyond reason, other scripts' digits, long runs: taken for plain names, at once."""
    for name in (
        "a_" + "9" * 5000 + "_1_x.py",
        "_" * 60_000,
        "a_١٢_٣_x.py",
        "a_1_" + "2_" * 30_000,
    ):
        assert canvas.parse(name) is None
    for name in ("__late_1_2_x.py", "a_LATE_late_1_2_3_4_x.py", "_1_2_3"):
        canvas.parse(name)
    assert canvas.parse("a_1_2_") is None and canvas.parse("1_2_x.py") is None


def test_a_stray_file_among_canvas_names_is_still_taken(tmp_path: Path) -> None:
    files = {
        "a_1_10_training_loop.py": "1", "b_2_11_training_loop.py": "2", "training_loop.py": "3",
    }  # fmt: skip
    found, _ = take(put(tmp_path, files))
    assert sorted(found) == ["a_1", "b_2", "training_loop"]


# -- back into Canvas ----------------------------------------------------------------------------

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


def test_a_file_that_is_named_like_another_students_stays_its_own_students(tmp_path: Path) -> None:
    files = {
        "alice_1_10_training_loop.py": "alice = 1",
        "mallory_6_11_alice_1_10_training_loop.py": "mallory = 1",
        "zed_7_12_LATE_1_10_training_loop.py": "zed = 1",
        "anon_a1_13_training_loop.py": "anon = 1",
        "eve_8_14_anon_a1_13_training_loop.py": "eve = 1",
    }
    found, refused = take(put(tmp_path, files), A4)
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {
        "alice_1": "alice = 1",
        "mallory_6": "mallory = 1",
        "zed_7": "zed = 1",
        "anon_a1": "anon = 1",
        "eve_8": "eve = 1",
    }
    assert not found["zed_7"].origin["late"] and found["eve_8"].origin["user"] == "8"


def test_archives_of_every_kind_and_odd_suffixes_are_taken(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "cy_1_10_work-2.tar.gz": tarred({"training_loop.py": "new = 1"}, "w:gz"),
        "cy_1_9_work-1.tar.gz": tarred({"training_loop.py": "old = 1"}, "w:gz"),
        "dee_2_11_lab.json": notebook("n = 1"),
        "eve_3_12_training_loop.ipynb.txt": notebook("n = 1"),
        "fay_4_13_essay.docx": "PK",
    }
    found, refused = take(put(tmp_path, files), A4)
    assert sorted(found) == ["cy_1", "dee_2", "eve_3"] and sorted(refused) == ["fay_4"]
    assert found["cy_1"].program.text == "new = 1"
    assert "essay.docx (a zip archive)" in refused["fay_4"].reason
