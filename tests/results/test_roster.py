"""The roster: read with care, matched without guessing, and everybody on it has a row."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.course.config import Course
from autograder.errors import ConfigError, InputError
from autograder.model import Result
from autograder.report import pages
from autograder.results import files, roster, totals
from tests.handing import A4, A5, graded, lost

HEAD = "student_id,name,email,section,group\n"
CLASS = (
    HEAD
    + """s1,"Andersson, Alice",alice@uni.edu,A,team 1
s2,"Bee, Bob",bob@uni.edu,A,team 1
s3,"Li, Cho",cho@uni.edu,B,
s4,"Doe, Dora",dora@uni.edu,B,
"""
)
DUE = "2026-10-12T23:59:00+02:00"
BEFORE = datetime(2026, 10, 1, tzinfo=UTC)
AFTER = datetime(2026, 11, 1, tzinfo=UTC)


def course(**more: Any) -> Course:
    return Course.model_validate(
        {"course": "c", "assignments": [A4, A5], "due": {A4: DUE}, "group_work": [], **more}
    )


def written(out: Path, text: str = CLASS, encoding: str = "utf-8") -> Path:
    path = out / "people.csv"
    path.write_text(text, encoding=encoding)
    return path


def folder(out: Path, *results: Result, text: str = CLASS) -> Path:
    """A folder of grades with a roster."""
    for r in results:
        files.write_result(out, r)
    roster.keep(out, roster.read(written(out, text)))
    return out


def row(found: totals.Rows, student: str, assignment: str = A4) -> Result:
    (one,) = [r for r in found.results if (r.student, r.assignment) == (student, assignment)]
    return one


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("studentid,name\n1,a\n", r"people\.csv:1: has no column student_id; did you mean"),
        ("name\na\n", r"people\.csv:1: has no column student_id \(the columns are"),
        ("student_id,emial\n1,a@b\n", r"has no column email; did you mean 'emial'\?"),
        ("student_id,name,Name\n1,a,b\n", "names the column name twice"),
        (HEAD, "names nobody"),
        (HEAD + ",a,,,\n", r"people\.csv:2: column student_id: is empty"),
        (HEAD + "1,a,,,\n\n1,b,,,\n", r":4: column student_id: '1' stands on line 2, too"),
        (HEAD + "1,,A@b,,\n2,,a@B,,\n", r":3: column email: 'a@B' stands on line 2, too"),
        (HEAD + "1,,nobody,,\n", "column email: 'nobody' is no address"),
        (HEAD + "1.2E+09,,,,\n", "column student_id: '1.2E.09' is a number that a spreadsheet"),
        (HEAD + "1,Doe, Jane,j@b,A,\n", "has 6 cells, and the header 5"),
        (HEAD + f"1,{'x' * 300},,,\n", "column name: has 300 characters"),
        (HEAD + '1,"a\nb",,,\n\n,c,,,\n', r":5: column student_id: is empty"),
        (HEAD + '1,"a,,,\n', "is not a CSV file"),
    ],
)
def test_a_roster_that_cannot_be_right_is_refused_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        roster.read(written(tmp_path, text))
    assert "\n" not in str(caught.value) and "(" in str(caught.value), "one line, with a remedy"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, encoding: str) -> None:
    text = 'Student ID;E-Mail;Last Name;First Name;Tutor\n007;z@u.de;Müller;"Zoë";Kim\n;;;;\n'
    (person,) = roster.read(written(tmp_path, text, encoding)).people
    assert person["student_id"] == "007" and person["name"] == "Müller, Zoë"
    assert person["tutor"] == "Kim" and person["section"] == "" and person["email"] == "z@u.de"


def test_what_a_cell_hides_is_taken_off(tmp_path: Path) -> None:
    text = HEAD + "1,\x1b[31mEve\u202e,e@x,=A1,\n"
    who = roster.read(written(tmp_path, text))
    assert who.people[0]["name"] == "Eve"
    folder(tmp_path, replace(graded("1")), text=text)
    totals.settle(tmp_path, None)
    table = (tmp_path / "grades.csv").read_text()
    assert "'=A1" in table and "\x1b" not in table


# -- who is who ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("student", "origin", "person"),
    [
        ("s1", {}, "s1"),
        ("S1", {}, "s1"),
        ("alice@uni.edu", {}, "s1"),
        ("alice", {}, "s1"),
        ("alice_andersson", {}, "s1"),
        ("Bob Bee_12", {"tool": "moodle", "user": "12", "name": "Bob Bee"}, "s2"),
        ("beebob_77", {"tool": "canvas", "user": "77"}, "s2"),
        ("anon_9", {"tool": "canvas", "user": "9"}, "s4"),
        ("x", {"tool": "gradescope", "user": "s3", "emails": []}, "s3"),
        ("anon_8", {"tool": "canvas", "user": "s3"}, None),
        ("zed", {}, None),
    ],
)
def test_work_finds_its_person(
    tmp_path: Path, student: str, origin: dict[str, Any], person: str | None
) -> None:
    text = CLASS.replace("group\n", "group,canvas_id\n").replace("B,\n", "B,,\n")
    text = text.replace("dora@uni.edu,B,,", "dora@uni.edu,B,,9")
    found = roster.read(written(tmp_path, text)).match([graded(student, origin=origin)])
    assert found.people.get(student, {}).get("student_id") == person
    assert (student in found.unknown) == (person is None)


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    who = roster.read(written(tmp_path))
    found = who.match([graded("alice_anderson"), graded("stranger")])
    assert found.unknown["alice_anderson"] == (
        "is not on the roster; did you mean s1 (Andersson, Alice)?"
    )
    assert found.unknown["stranger"] == "is not on the roster"
    assert found.maybe == {"s1"}


@pytest.mark.parametrize(
    ("student", "near"),
    [("s1O11", "s1011"), ("1011", "s1011"), ("s1012", None), ("s1101", None), ("al1ce", None)],
)
def test_the_next_number_is_nobodys_slip(tmp_path: Path, student: str, near: str | None) -> None:
    who = roster.read(written(tmp_path, HEAD + "s1011,,,,\ns1013,alice,,,\n"))
    assert who.match([graded(student)]).maybe == ({near} if near else set())


def test_two_who_may_be_one_are_neither(tmp_path: Path) -> None:
    who = roster.read(written(tmp_path))
    found = who.match([graded("alice"), graded("Andersson Alice"), graded("s2")])
    assert set(found.people) == {"s2"} and found.maybe == {"s1"}
    assert "fits a row that another student fits, too (s1)" in found.unknown["alice"]


# -- who handed in nothing -------------------------------------------------------------------------


def test_who_handed_in_nothing_has_a_row_and_no_zero(tmp_path: Path) -> None:
    out = folder(tmp_path, graded("alice"), graded("s3"), replace(graded("bob"), assignment=A5))
    totals.settle(out, course(), AFTER)
    with (out / "grades.csv").open(newline="") as f:
        table = {(r["student"], r["assignment"]): r for r in csv.DictReader(f)}
    assert len(table) == 8, "each of four, in each assignment"
    bob = table["bob", A4]
    assert (bob["status"], bob["score"], bob["max_score"], bob["late"]) == ("missing", "", "20", "")
    assert (bob["student_id"], bob["email"], bob["section"]) == ("s2", "bob@uni.edu", "A")
    assert bob["message"] == f"nothing was handed in; it was due {DUE}"
    assert table["s4", A4]["status"] == "missing", "whom no work names goes by the id"
    assert [p.name for p in (out / "results").iterdir()].count("s4") == 0


def test_a_zero_comes_only_when_the_policy_says_so(tmp_path: Path) -> None:
    out = folder(tmp_path, graded("alice"), graded("s3"))
    until = {A4: {"s2": "2026-11-15T00:00:00+01:00"}}
    rules = course(late={"zero_after_days": 7, "extensions": until})
    early, later = totals.rows(out, rules, now=BEFORE), totals.rows(out, rules, now=AFTER)
    assert not row(early, "s4").scored and "handed in yet" in row(early, "s4").notes[0]
    dora, bob = row(later, "s4"), row(later, "s2")
    assert dora.scored and dora.score == 0.0 and dora.late is not None and dora.late.late
    assert not bob.scored, "an extension is counted from"
    edge = datetime(2026, 10, 19, 21, 59, tzinfo=UTC)
    assert not row(totals.rows(out, rules, now=edge), "s4").scored, "to the second"
    assert row(totals.rows(out, rules, now=edge.replace(second=1)), "s4").scored


def test_nobody_has_a_zero_while_unknown_work_may_be_theirs(tmp_path: Path) -> None:
    out = folder(tmp_path, graded("alice"), graded("dora_do"), graded("somebody else"))
    found = totals.rows(out, course(late={"zero_after_days": 0}), now=AFTER)
    assert not row(found, "s4").scored and row(found, "s2").scored
    asked = {r.student: why for r, why in found.questions}
    assert "did you mean s4" in asked["dora_do"] and "handed in nothing, unless" in asked["s4"]


def test_the_page_tells_names_sections_and_who_is_missing(tmp_path: Path) -> None:
    out = folder(tmp_path, graded("alice"), graded("s3"), graded("zed"))
    index = pages.write(out, course()).read_text()
    assert '<span class="who">Andersson, Alice · team 1</span></th><td>A</td>' in index
    assert "3 graded · 2 handed in nothing" in index
    attention = index.partition("Needs a person")[2].partition("</section>")[0]
    assert "zed" in attention and "is not on the roster" in attention
    section = (out / "report" / "section-B.html").read_text()
    assert "Li, Cho" in section and "Alice" not in section and 'href="students/s3.html"' in section
    assert "nothing handed in" in (out / "report" / "students" / "s4.html").read_text()
    roster.keep(out, roster.read(written(out, CLASS.replace(",B,", ",C,"))))
    pages.write(out, course())
    assert not (out / "report" / "section-B.html").exists(), "a section that is gone has no page"


# -- groups ----------------------------------------------------------------------------------------


def at(student: str, when: str, score: float = 16.0, work: str = "1") -> Result:
    return replace(graded(student, score), submitted_at=when, submission=f"sha256:{work}")


def test_a_group_has_one_grade_and_each_member_a_row(tmp_path: Path) -> None:
    late = at("alice", "2026-10-13T12:00:00+02:00")
    rules = course(group_work=[A4], late={"per_day": 0.1})
    out = folder(tmp_path, late, replace(late, assignment=A5, student="s2"))
    found = totals.settle(out, rules, AFTER)
    alice, bob = row(found, "alice"), row(found, "s2")
    assert alice.score == bob.score == 14.0 and bob.owner == "alice" and bob.origin == {}
    assert "the work of team 1, handed in by alice" in bob.notes
    assert row(found, "alice", A5).status == "missing", "no group work"
    assert "1 graded" not in pages.write(out, rules).read_text().partition(A5)[0]
    granted = {A4: {"bob@uni.edu": "2026-10-14T00:00:00+02:00"}}
    kind = course(group_work=[A4], late={"per_day": 0.1, "extensions": granted})
    assert [row(totals.settle(out, kind), s).score for s in ("alice", "s2")] == [16.0, 16.0]
    assert [r.score for r in files.read_results(out) if r.assignment == A4] == [16.0]


def test_of_a_groups_works_the_newest_counts_or_a_person_is_asked(tmp_path: Path) -> None:
    rules = course(group_work=None)
    first = at("alice", "2026-10-10T12:00:00+02:00", 10.0)
    second = at("bob", "2026-10-10T11:00:00+01:00", 12.0, work="2")
    third = at("bob", "2026-10-10T11:00:01+01:00", 12.0, work="2")
    out = folder(tmp_path, first, third)
    found = totals.rows(out, rules)
    assert {r.score for r in found.results if r.person["group"]} == {12.0}
    assert "the newest of 2 counts" in row(found, "alice").notes[-1]
    for unclear in (second, replace(third, submitted_at="")):
        files.write_result(out, unclear)
        found = totals.rows(out, rules)
        assert [row(found, s).score for s in ("alice", "bob")] == [10.0, 12.0]
        assert "no time tells which counts" in found.of(row(found, "alice"))[0]
    files.write_result(out, replace(third, submitted_at="", submission=first.submission))
    assert not totals.rows(out, rules).questions, "the same work twice is one"
    files.write_result(out, lost("bob"))
    found = totals.rows(out, rules)
    assert row(found, "bob").score == 10.0, "what could not be graded gives way"


# -- which roster ----------------------------------------------------------------------------------


def test_out_remembers_the_newest_roster(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    path = written(tmp_path)
    assert roster.chosen(out, None, None) is None
    named = roster.chosen(out, path, tmp_path / "not there.csv")
    assert named is not None
    roster.keep(out, named)
    assert (out / roster.NAME).read_bytes() == path.read_bytes()
    assert roster.chosen(out, None, tmp_path / "not there.csv") == named, "on another machine"
    with pytest.raises(InputError, match=r"grading_config\.yml names it as the roster"):
        roster.chosen(tmp_path / "new", None, tmp_path / "not there.csv")
    with pytest.raises(InputError, match="cannot be read"):
        roster.chosen(out, tmp_path / "not there.csv", path)


def test_group_work_names_assignments() -> None:
    with pytest.raises((ConfigError, ValueError), match="group_work names '05'"):
        course(group_work=["05"])


def test_who_left_the_class_folder_is_asked_about_once(tmp_path: Path) -> None:
    """A ghost is no second row beside a missing one, and no zero; a new name takes its place."""
    out = folder(tmp_path, replace(graded("alice"), gone=True), graded("s2"))
    rules = course(late={"zero_after_days": 0})
    found = totals.rows(out, rules, now=AFTER)
    assert [r.gone for r in found.results if r.person.get("student_id") in (None, "s1")] == [True]
    files.write_result(out, graded("alice andersson"))
    found = totals.rows(out, rules, now=AFTER)
    assert row(found, "alice andersson").person["student_id"] == "s1" and not found.questions
