"""Moodle: its worksheet and its feedback zip go back."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.exports import moodle
from autograder.model import Result
from tests.handing import A4, A5, graded, late, lost, members, order, put, take
from tests.intake.test_moodle import CLASS

FILE = "assignsubmission_file"


ENGLISH = """\
Identifier,Full name,Email address,Status,Group,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 101,"Doe, Jane",jane@x.org,Submitted,Red,,20.00,Yes,"Monday, 1 June",-,
Participant 102,=Zoë,zoe@x.org,Submitted,Red,7.00,20.00,Yes,"Monday, 1 June",-,<p>Well done</p>
Participant 1010,Bob,bob@x.org,No submission,Blue,,20.00,Yes,-,-,
"""
GERMAN = """\
ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;\
Bewertung kann geändert werden;\
Letzte Änderung (Abgabe);Letzte Änderung (Bewertung);Feedback als Kommentar
Teilnehmer/in101;Jane;jane@x.org;Abgegeben;;"100,00";Ja;-;-;
Teilnehmer/in102;Zoë;zoe@x.org;Abgegeben;"35,00";"100,00";Ja;-;-;
"""
FRENCH = """\
Identifiant,Nom complet,Statut,Note,Note maximale,La note peut être modifiée,\
Dernière modification (note),Feedback par commentaires
Participant101,Jane,Remis,-,"20,00",Oui,-,
"""
UNKNOWN = """\
Nieznane,Kto,Stan,Punkty ucznia,Maximum Grade,Zmiana
Uczestnik 101,Jane,ok,,20.00,-
"""


def origin(user: str, name: str = "Jane Doe") -> dict[str, object]:
    return {"tool": "moodle", "user": user, "name": name, "file": f"{name}_{user}_{FILE}"}


def sheet(tmp_path: Path, text: str, mark: str = "") -> Path:
    path = tmp_path / "Grades.csv"
    path.write_bytes((mark + text).encode())
    return path


def rows(tmp_path: Path, delimiter: str = ",") -> list[list[str]]:
    path = tmp_path / "to" / f"{A4}-worksheet.csv"
    with path.open(newline="", encoding="utf-8-sig") as f:
        return list(csv.reader(f, delimiter=delimiter))


def test_only_grades_and_comments_change(tmp_path: Path) -> None:
    results = [
        graded("Jane Doe_101", 15.5, origin("101")),
        late(graded("Zoe_102", 16.0, origin("102")), 2.0),
        lost("Bob_1010", origin("1010")),
        graded("gone_9", 1.0, origin("9")),
    ]
    given = order(tmp_path, *results, gradebook=sheet(tmp_path, ENGLISH))
    said = moodle.export(given)
    expected = list(csv.reader(ENGLISH.splitlines()))
    now = rows(tmp_path)
    assert [r[5] for r in now[1:]] == ["15.5", "14", ""]
    assert now[1][10].startswith("<p>Five Beats: 15.5 of 20 points. Gradients are cleared: the ")
    assert "&lt;gradients&gt;" in now[1][10], "Moodle takes a comment for HTML"
    assert now[2][10].startswith("<p>Well done</p><p>Five Beats: 14 of 20 points. Late: late.")
    for before, after in zip(expected, now, strict=True):
        untouched = [i for i in range(11) if i not in (5, 10)]
        assert [before[i] for i in untouched] == [after[i] for i in untouched]
    assert now[3] == expected[3], "nobody without a grade is given one"
    assert said[:2] == ["2 grades", "1 of them replace another grade that stood there"]
    assert given.missed == [
        f"{A4}: Bob_1010: could not be graded; the row is as it was",
        f"{A4}: gone_9: not in the worksheet",
    ]


def test_a_second_export_replaces_its_own_comment_only(tmp_path: Path) -> None:
    first = order(tmp_path, graded("z", 16.0, origin("102")), gradebook=sheet(tmp_path, ENGLISH))
    moodle.export(first)
    once = tmp_path / "to" / f"{A4}-worksheet.csv"
    again = order(tmp_path, graded("z", 17.0, origin("102")), gradebook=once)
    moodle.export(again)
    text = rows(tmp_path)[2][10]
    assert text.count("Five Beats") == 1 and "17 of 20" in text and "Well done" in text


@pytest.mark.parametrize(
    ("text", "mark", "delimiter", "column", "grade"),
    [
        (ENGLISH, "", ",", 5, "15.5"),
        (ENGLISH, "\ufeff", ",", 5, "15.5"),
        (GERMAN, "\ufeff", ";", 4, "77,5"),
        (FRENCH, "", ",", 3, "15,5"),
        (UNKNOWN, "", ",", 3, "15.5"),
    ],
)
def test_sheets_of_other_languages(
    tmp_path: Path, text: str, mark: str, delimiter: str, column: int, grade: str
) -> None:
    results = [graded("Jane Doe_101", 15.5, origin("101"))]
    moodle.export(order(tmp_path, *results, gradebook=sheet(tmp_path, text, mark)))
    now = rows(tmp_path, delimiter)
    assert now[1][column] == grade and now[0] == next(
        csv.reader(text.splitlines(), delimiter=delimiter)
    )
    raw = (tmp_path / "to" / f"{A4}-worksheet.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") == bool(mark)


def test_a_grades_column_of_an_unknown_language_can_be_named(tmp_path: Path) -> None:
    path = sheet(tmp_path, UNKNOWN.replace("Maximum Grade", "Najwyzsza"))
    result = graded("Jane Doe_101", 15.5, origin("101"))
    with pytest.raises(InputError, match=r"has not a column of grades.*Punkty ucznia.*--column"):
        moodle.export(order(tmp_path, result, gradebook=path))
    moodle.export(order(tmp_path, result, gradebook=path, columns={A4: "Punkty ucznia"}))
    assert rows(tmp_path)[1][3] == "15.5"


def test_a_group_is_graded_as_one(tmp_path: Path) -> None:
    team = graded("red_7", 16.0, origin("7", "Red"))
    moodle.export(order(tmp_path, team, gradebook=sheet(tmp_path, ENGLISH)))
    assert [r[5] for r in rows(tmp_path)[1:]] == ["16", "16", ""]


def test_students_from_elsewhere_are_found_by_what_the_sheet_tells_of_them(tmp_path: Path) -> None:
    results = [graded("JANE@x.org", 1.0), graded("bob", 2.0), graded("Submitted", 3.0)]
    given = order(tmp_path, *results, gradebook=sheet(tmp_path, ENGLISH))
    moodle.export(given)
    assert [r[5] for r in rows(tmp_path)[1:]] == ["1", "7.00", "2"]
    assert given.missed == [f"{A4}: Submitted: fits 2 rows"]


@pytest.mark.parametrize(
    ("hidden", "seen", "unseen"),
    [
        ("full", "the &lt;gradients&gt; of step 1", "help"),
        ("title", "Gradients are cleared.", "step 1"),
        ("none", "16 of 20 points.", "Gradients"),
    ],
)
def test_a_comment_tells_no_more_than_the_page(
    tmp_path: Path, hidden: str, seen: str, unseen: str
) -> None:
    given = order(
        tmp_path,
        graded("Jane Doe_101", 16.0, origin("101")),
        gradebook=sheet(tmp_path, ENGLISH),
        hidden=hidden,
    )
    moodle.export(given)
    text = rows(tmp_path)[1][10]
    assert seen in text and unseen not in text


def test_feedback_goes_back_in_names_that_moodle_reads(tmp_path: Path) -> None:
    found, refused = take(put(tmp_path / "class", CLASS), A4)
    results = [graded(s.student, 16.0, s.origin) for s in found.values()]
    results += [lost(r.student, r.origin) for r in refused.values()]
    moodle.export(order(tmp_path, *results, gradebook=sheet(tmp_path, ENGLISH)))
    inside = members(tmp_path / "to" / f"{A4}-feedback.zip")
    assert inside[f"Jane Doe_101_{FILE}_feedback.html"] == b"<p>Jane Doe_101</p>"
    assert len(inside) == len(results)
    for name in inside:
        parts = name.split("_", 4)
        assert len(parts) == 5 and parts[1].isdigit(), "name, participant, plugin, its kind, file"
        assert parts[2:] == ["assignsubmission", "file", "feedback.html"]


def several() -> list[Result]:
    from dataclasses import replace

    return [graded("a", 1.0), replace(graded("a", 1.0), assignment=A5)]


def test_wrong_use_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"own worksheet only.*--gradebook FILE"):
        moodle.export(order(tmp_path, graded("a")))
    with pytest.raises(InputError, match=r"here are 04-training-loop, 05-five-beats.*-a"):
        moodle.export(order(tmp_path, *several(), gradebook=sheet(tmp_path, ENGLISH)))
    path = sheet(tmp_path, "Student,ID\nJane,7\n")
    with pytest.raises(InputError, match=re.escape("is no grading worksheet")):
        moodle.export(order(tmp_path, graded("a"), gradebook=path))
