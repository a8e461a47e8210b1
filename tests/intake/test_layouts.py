"""What schools' tools pack, in folders and zips: whose each file is, and which attempt counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.intake.collect import Refused, collect, take_in
from autograder.intake.times import UNSTATED, spoken
from autograder.model import Submission
from tests.handing import A4, KNOWN, packed, put, zipped

BERLIN = ZoneInfo("Europe/Berlin")
LOOP = "training_loop.py"
BOOK = "training_loop.ipynb"
SENT = "Submission attachment(s)"

BRIGHTSPACE = {
    "index.html": "<html>",
    f"104840-170649 - Jane Doe - Nov 26, 2025 933 PM/{LOOP}": "jane = 2",
    "104840-170649 - Jane Doe - Nov 26, 2025 933 PM/lib/helper.py": "h = 1",
    f"104840-170649 - Jane Doe - Nov 25, 2025 1100 AM/{LOOP}": "jane = 1",
    f"104841-170649 - Anna - Lena Müller - Dec 1, 2025 1205 AM/{LOOP}": "anna = 1",
    "104842-170649 - Rob Roe - Nov 24, 2025 110 PM/report.pdf": "%PDF",
}
BRIGHTSPACE_FLAT = {
    f"104840-170649 - Jane Doe - Nov 26, 2025 933 PM - {LOOP}": "jane = 2",
    f"104840-170649 - Jane Doe - Nov 25, 2025 1100 AM - {LOOP}": "jane = 1",
    "104841-170649 - Anna - Lena Müller - Dec 1, 2025 1205 AM - work.zip": packed(
        {LOOP: "anna = 1"}
    ),
    f"104842-170649 - Rob Roe - 24 November, 2025 1310 - {LOOP}": "rob = 1",
}
RECEIPT = (
    "Name: Jane Doe (j_doe)\r\nAssignment: Lab_4 loops\r\nDate Submitted: Monday, October 12\r\n"
    "Comments:\r\nName: Rob Roe (rroe)\r\n"
)
BLACKBOARD = {
    "Lab_4 loops_j_doe_attempt_2026-10-12-23-58-01.txt": RECEIPT,
    f"Lab_4 loops_j_doe_attempt_2026-10-12-23-58-01_{LOOP}": "jane = 2",
    "Lab_4 loops_j_doe_attempt_2026-10-12-23-58-01_helper.py": "h = 1",
    f"Lab_4 loops_j_doe_attempt_2026-10-11-09-00-00_{LOOP}": "jane = 1",
    "Lab_4 loops_rroe_attempt_2026-10-13-00-20-00.txt": "Name: Rob Roe (rroe)\nAssignment: x",
    f"Lab_4 loops_rroe_attempt_2026-10-13-00-20-00_{LOOP}": "rob = 1",
    "Lab_4 loops_tt_attempt_2026-10-13-00-20-00.txt": "Name: Tina Typed (tt)\nComments: see code",
}
SAKAI = {
    "Lab 4/grades.csv": "Lab 4,Points\n\nDisplay ID,ID,Last Name,First Name,grade\n",
    f"Lab 4/Doe, Jane(jdoe)/{SENT}/{LOOP}": "jane = 1",
    f"Lab 4/Doe, Jane(jdoe)/{SENT}/timestamp.txt": "2020-01-01T00:00:00Z",
    "Lab 4/Doe, Jane(jdoe)/timestamp.txt": "2026-10-12T21:58:01.123Z",
    "Lab 4/Doe, Jane(jdoe)/Doe, Jane(jdoe)_submissionText.html": "",
    "Lab 4/Doe, Jane(jdoe)/Feedback Attachment(s)/notes.py": "ours = 1",
    "Lab 4/Doe, Jane(jdoe)/comments.txt": "",
    f"Lab 4/Roe, Rob(rroe); Poe, Pia(ppoe)/提出物の添付ファイル/{LOOP}": "both = 1",
    "Lab 4/Roe, Rob(rroe); Poe, Pia(ppoe)/timestamp.txt": "20261012222000123",
    "Lab 4/Typed, Tina(tt)/timestamp.txt": "2026-10-12T21:58:01Z",
    "Lab 4/Typed, Tina(tt)/Typed, Tina(tt)_submissionText.html": "<p>code",
}
SAKAI_FLAT = {
    "Lab 4/grades.csv": (
        "Lab 4,Points\n\nDisplay ID,ID,Last Name,First Name,grade,Submitted On,Late Submission\n"
        "1001,jdoe,Doe,Jane,,2026-10-12T21:58:01Z,On time\n"
    ),
    f"Lab 4/Doe, Jane(jdoe)_{SENT}_{LOOP}": "jane = 1",
    f"Lab 4/Doe, Jane(jdoe)_{SENT}_helper.py": "h = 1",
    "Lab 4/Doe, Jane(jdoe)_comments.txt": "",
    f"Lab 4/Roe, Rob(rroe)_{SENT}_{LOOP}": "rob = 1",
}
TEAMS = {
    f"Class 1 - Student Work/Submitted files/Jane Doe/Lab 4/Version 10/{LOOP}": "jane = 10",
    f"Class 1 - Student Work/Submitted files/Jane Doe/Lab 4/Version 9/{LOOP}": "jane = 9",
    f"Class 1 - Student Work/Submitted files/Rob Roe/Lab 4/Version 1/{LOOP}": "rob = 1",
    "Class 1 - Student Work/Submitted files/Rob Roe/Lab 4/Version 1/Version 7/own.py": "rob = 7",
    f"Class 1 - Student Work/Working files/Jane Doe/Lab 4/{LOOP}": "jane = 'draft'",
    f"Class 1 - Student Work/Working files/Pia Poe/Lab 4/{LOOP}": "pia = 'draft'",
}
GITHUB = {
    f"lab-4-submissions/lab-4-jdoe/{LOOP}": "jane = 1",
    "lab-4-submissions/lab-4-jdoe/README.md": "# Lab 4",
    "lab-4-submissions/lab-4-jdoe/.git/HEAD": "ref: refs/heads/main",
    f"lab-4-submissions/lab-4-jdoe-1/{LOOP}": "other = 1",
    f"lab-4-submissions/lab-4-rob-roe/src/{LOOP}": "rob = 1",
}
CLASSROOM: dict[str, str | bytes] = {
    f"Jane Doe - {BOOK}": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    f"Ana López García - {LOOP}": "import helper\nana = 1",
    "Ana López García - helper.py": "h = 1",
    "IMG_2041.jpg": b"\xff\xd8\xff",
}


def read(
    path: Path, zone: ZoneInfo | None = BERLIN
) -> tuple[dict[str, Submission], dict[str, Refused]]:
    """Submissions and refusals of A4 by student; each has one of both."""
    found, refused = collect([path], A4, KNOWN, zone=zone)
    assert len({s.student for s in found} | {r.student for r in refused}) == len(found + refused)
    return {s.student: s for s in found}, {r.student: r for r in refused}


def made(tmp: Path, pack: str, files: Mapping[str, str | bytes]) -> Path:
    """A class of `files`, as a zip or as the folder that all of it lies in."""
    if pack == "zip":
        return zipped(tmp / "class.zip", files)
    roots = {name.partition("/")[0] for name in files}
    put(tmp / "class", files)
    alone = len(roots) == 1 and (tmp / "class" / next(iter(roots))).is_dir()
    return tmp / "class" / next(iter(roots)) if alone else tmp / "class"


def told(work: Submission) -> str:
    return " | ".join(work.notes)


both = pytest.mark.parametrize("pack", ["folder", "zip"])


@both
@pytest.mark.parametrize(
    ("files", "texts", "refused"),
    [
        (
            BRIGHTSPACE,
            {"Jane Doe_104840": "jane = 2", "Anna - Lena Müller_104841": "anna = 1"},
            {"Rob Roe_104842": "a PDF"},
        ),
        (
            BRIGHTSPACE_FLAT,
            {
                "Jane Doe_104840": "jane = 2",
                "Anna - Lena Müller_104841": "anna = 1",
                "Rob Roe_104842": "rob = 1",
            },
            {},
        ),
        (
            BLACKBOARD,
            {"Jane Doe_j_doe": "jane = 2", "Rob Roe_rroe": "rob = 1"},
            {"Tina Typed_tt": "typed into Blackboard"},
        ),
        (
            SAKAI,
            {
                "Doe, Jane_jdoe": "jane = 1",
                "Roe, Rob_rroe": "both = 1",
                "Poe, Pia_ppoe": "both = 1",
            },
            {"Typed, Tina_tt": "typed into Sakai"},
        ),
        (SAKAI_FLAT, {"Doe, Jane_jdoe": "jane = 1", "Roe, Rob_rroe": "rob = 1"}, {}),
        (GITHUB, {"jdoe": "jane = 1", "jdoe-1": "other = 1", "rob-roe": "rob = 1"}, {}),
        (
            {f"Work/{n}": c for n, c in BRIGHTSPACE_FLAT.items()},
            {
                "Jane Doe_104840": "jane = 2",
                "Anna - Lena Müller_104841": "anna = 1",
                "Rob Roe_104842": "rob = 1",
            },
            {},
        ),
    ],
    ids=["brightspace", "brightspace-flat", "blackboard", "sakai", "sakai-flat", "github", "outer"],
)
def test_a_class_is_taken_in(
    tmp_path: Path,
    pack: str,
    files: dict[str, str | bytes],
    texts: dict[str, str],
    refused: dict[str, str],
) -> None:
    found, left = read(made(tmp_path, pack, files))
    assert {s: w.program.text.strip() for s, w in found.items()} == texts
    assert left.keys() == refused.keys()
    for student, reason in refused.items():
        assert reason in left[student].reason


@both
def test_of_teams_the_newest_version_counts_and_drafts_do_not(tmp_path: Path, pack: str) -> None:
    found, refused = read(made(tmp_path, pack, TEAMS))
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {
        "Jane Doe": "jane = 10",
        "Rob Roe": "rob = 1",
    }
    assert "handed in 2 times: Lab 4: Version 10 counts, not Version 9" in told(found["Jane Doe"])
    one = {n.partition("/")[2]: c for n, c in TEAMS.items() if "/Rob Roe/" in n}
    (tmp_path / "one").mkdir()
    assert sorted(read(made(tmp_path / "one", pack, one))[0]) == ["Rob Roe"]


def test_of_teams_several_assignments_are_told_by_their_titles(tmp_path: Path) -> None:
    files = {
        f"Submitted files/Jane Doe/04 Training loop/Version 2/{LOOP}": "four = 1",
        "Submitted files/Jane Doe/05 five beats/Version 1/five_beats.py": "five = 1",
        f"Submitted files/Rob Roe/04 Training loop/Version 1/{LOOP}": "rob = 1",
    }
    found, refused = collect([zipped(tmp_path / "c.zip", files)], None, KNOWN)
    assert not refused
    assert [(s.student, s.assignment) for s in found] == [
        ("Jane Doe", A4),
        ("Jane Doe", "05-five-beats"),
        ("Rob Roe", A4),
    ]


@both
def test_google_classrooms_copies_bear_their_students_names(tmp_path: Path, pack: str) -> None:
    found, refused = read(made(tmp_path, pack, CLASSROOM))
    assert sorted(found) == ["Ana López García", "Jane Doe"] and sorted(refused) == ["IMG_2041"]
    assert sorted(found["Ana López García"].files) == ["helper.py", LOOP]
    named = {"Jo Poe - Lab 4.py": "jo = 1", "Al Roe - Lab 4.py": "al = 1", "Uli - own.py": "u = 1"}
    (tmp_path / "named").mkdir()
    assert sorted(read(made(tmp_path / "named", pack, named))[0]) == [
        "Al Roe",
        "Jo Poe",
        "Uli - own",
    ]


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (
            BRIGHTSPACE_FLAT,
            {
                "Jane Doe_104840": "2025-11-26T21:33:00+01:00",
                "Anna - Lena Müller_104841": "2025-12-01T00:05:00+01:00",
                "Rob Roe_104842": "2025-11-24T13:10:00+01:00",
            },
        ),
        (
            BLACKBOARD,
            {
                "Jane Doe_j_doe": "2026-10-12T23:58:01+02:00",
                "Rob Roe_rroe": "2026-10-13T00:20:00+02:00",
            },
        ),
        (
            SAKAI,
            {
                "Doe, Jane_jdoe": "2026-10-12T21:58:01+00:00",
                "Roe, Rob_rroe": "2026-10-12T22:20:00+00:00",
                "Poe, Pia_ppoe": "2026-10-12T22:20:00+00:00",
            },
        ),
        (
            SAKAI_FLAT,
            {"Doe, Jane_jdoe": "2026-10-12T21:58:01+00:00", "Roe, Rob_rroe": ""},
        ),
        (GITHUB, {"jdoe": "", "jdoe-1": "", "rob-roe": ""}),
    ],
    ids=["brightspace", "blackboard", "sakai", "sakai-flat", "github"],
)
def test_when_it_came_is_read_in_the_courses_zone(
    tmp_path: Path, files: dict[str, str | bytes], times: dict[str, str]
) -> None:
    found, _ = read(zipped(tmp_path / "c.zip", files))
    assert {s: w.submitted_at for s, w in found.items()} == times


def test_without_a_zone_of_the_course_the_notes_say_so(tmp_path: Path) -> None:
    found, _ = read(zipped(tmp_path / "c.zip", BLACKBOARD), zone=None)
    jane = found["Jane Doe_j_doe"]
    assert jane.submitted_at == "2026-10-12T23:58:01+00:00" and UNSTATED in jane.notes


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Nov 26, 2025 933 PM", "2025-11-26T21:33:00+01:00"),
        ("September 6, 2025 12:01 a.m.", "2025-09-06T00:01:00+02:00"),
        ("Sep 29, 2015 4:17 PM", "2015-09-29T16:17:00+02:00"),
        ("29 Sep 2015 1617", "2015-09-29T16:17:00+02:00"),
        ("Oct 12, 2026 0005", "2026-10-12T00:05:00+02:00"),
        ("Oct 12, 2026 1205 PM", "2026-10-12T12:05:00+02:00"),
        ("20150906235900123", "2015-09-06T23:59:00+00:00"),
        ("2026-10-12T21:58:01.123Z", "2026-10-12T21:58:01+00:00"),
        ("Oct 32, 2026 1205 PM", ""),
        ("Okt 12, 2026 1205", ""),
        ("Oct 12, 2026 1305 PM", ""),
        ("Oct 12, 2026 2461", ""),
        ("yesterday", ""),
    ],
)
def test_times_as_names_of_files_spell_them(text: str, when: str) -> None:
    assert spoken(text, BERLIN) == when


def test_the_newest_attempt_counts_and_the_note_names_the_others(tmp_path: Path) -> None:
    files = {
        f"7-1 - Jane Doe - Nov {day}, 2025 900 AM/{LOOP}": f"day = {day}" for day in (9, 10, 2, 30)
    }
    work = read(put(tmp_path, files))[0]["Jane Doe_7"]
    assert work.program.text == "day = 30"
    assert (
        "handed in 4 times: that of Nov 30, 2025 900 AM counts, not Nov 10, 2025 900 AM; "
        "Nov 9, 2025 900 AM; Nov 2, 2025 900 AM"
    ) in told(work)
    assert work.origin == {
        "tool": "brightspace",
        "user": "7",
        "name": "Jane Doe",
        "file": "7-1 - Jane Doe - Nov 30, 2025 900 AM",
    }


def test_files_of_two_attempts_are_not_mixed(tmp_path: Path) -> None:
    older = {"Lab_4 loops_j_doe_attempt_2026-10-11-09-00-00_old.py": "o = 1"}
    work, _ = read(zipped(tmp_path / "c.zip", {**BLACKBOARD, **older}))
    assert sorted(work["Jane Doe_j_doe"].files) == ["helper.py", LOOP]


def test_where_the_newest_attempt_holds_no_program_the_one_before_counts_and_is_shown(
    tmp_path: Path,
) -> None:
    files = {
        f"7-1 - Jane Doe - Nov 9, 2025 900 AM/{LOOP}": "t = 1",
        "7-1 - Jane Doe - Nov 10, 2025 900 AM/essay.pdf": "%PDF",
    }
    work = read(put(tmp_path, files))[0]["Jane Doe_7"]
    assert work.submitted_at == "2025-11-09T09:00:00+01:00"
    assert "Nov 10, 2025 900 AM, holds no program" in work.attention[0]


def test_attempts_whose_times_cannot_be_read_are_a_persons_to_choose(tmp_path: Path) -> None:
    files = {
        f"7-1 - Jane Doe - 26 nov. 2025 9 h 33/{LOOP}": "a = 1",
        f"7-1 - Jane Doe - 27 nov. 2025 9 h 33/{LOOP}": "b = 1",
        f"8-1 - Rob Roe - 27 nov. 2025 9 h 33/{LOOP}": "c = 1",
    }
    found, refused = read(put(tmp_path, files))
    assert sorted(found) == ["Rob Roe_8"] and found["Rob Roe_8"].submitted_at == ""
    assert "cannot be read" in told(found["Rob Roe_8"])
    assert "was handed in 2 times" in refused["Jane Doe_7"].reason


def test_a_refusal_names_the_other_attempts(tmp_path: Path) -> None:
    files = {
        "7-1 - Jane Doe - Nov 9, 2025 900 AM/a.pdf": "%PDF",
        "7-1 - Jane Doe - Nov 10, 2025 900 AM/b.pdf": "%PDF",
    }
    (why,) = (r.reason for r in read(put(tmp_path, files))[1].values())
    assert "b.pdf (a PDF)" in why and "not Nov 9, 2025 900 AM" in why


# -- names of files that are another student's mark ------------------------------------------------


@both
@pytest.mark.parametrize(
    ("alice", "mark", "mallory"),
    [
        (
            f"101-9 - Alice Ash - Nov 26, 2025 933 PM - {LOOP}",
            f"101-9 - Alice Ash - Dec 30, 2030 933 PM - {LOOP}",
            "106-9 - Mallory - Nov 27, 2025 933 PM - ",
        ),
        (
            f"Lab 4_alice_attempt_2026-10-12-23-58-01_{LOOP}",
            f"Lab 4_alice_attempt_2030-10-12-23-58-01_{LOOP}",
            "Lab 4_mallory_attempt_2026-10-12-23-58-02_",
        ),
        (
            f"Ash, Alice(alice)_{SENT}_{LOOP}",
            f"Ash, Alice(alice)_{SENT}_{LOOP}",
            f"M, Mallory(mallory)_{SENT}_",
        ),
        (
            f"Ash, Alice(alice)_{SENT}_{LOOP}",
            f"; Ash, Alice(alice)_{SENT}_{LOOP}",
            f"M, Mallory(mallory)_{SENT}_",
        ),
    ],
    ids=["brightspace", "blackboard", "sakai", "sakai-group"],
)
def test_a_file_with_another_students_mark_stays_its_own_students(
    tmp_path: Path, pack: str, alice: str, mark: str, mallory: str
) -> None:
    files = {alice: "alice = 1", f"{mallory}{mark}": "mallory = 1"}
    texts = sorted(w.program.text for w in read(made(tmp_path, pack, files))[0].values())
    assert texts == ["alice = 1", "mallory = 1"]
    files[f"{mallory}{LOOP}"] = "honest = 1"
    found, _ = read(made(tmp_path, pack, files))
    assert sorted(w.program.text for w in found.values()) == ["alice = 1", "honest = 1"]
    (own,) = (w for w in found.values() if w.program.text == "honest = 1")
    assert "holds the mark of another student" in told(own) or own.program.main == LOOP


@pytest.mark.parametrize(
    "name",
    [
        f"Lab_alice_attempt_2030-10-12-23-58-01_{LOOP}",
        f"Alice Ash_101_assignsubmission_file_{LOOP}",
        f"Ash, Alice(alice)_{SENT}_{LOOP}",
        f"ashalice_101_9001_{LOOP}",
        f"Alice Ash - {LOOP}",
    ],
)
@pytest.mark.parametrize(
    ("tool", "marks"),
    [
        ("canvas", ("ashalice_101_5001_", "roerob_102_5002_", "mallory_106_5003_")),
        ("sakai", tuple(f"{n}, X({n})_{SENT}_" for n in ("alice", "rob", "mallory"))),
        ("blackboard", tuple(f"L_{n}_attempt_2026-10-12-23-58-01_" for n in ("a", "r", "m"))),
    ],
)
def test_a_files_name_leads_into_no_other_tools_students(
    tmp_path: Path, name: str, tool: str, marks: tuple[str, str, str]
) -> None:
    alice, rob, mallory = marks
    files = {f"{alice}{LOOP}": "a = 1", f"{rob}{LOOP}": "r = 1", f"{mallory}{name}": "m = 1"}
    found, refused = read(put(tmp_path, files))
    assert not refused and len(found) == 3
    assert {w.origin["tool"] for w in found.values()} == {tool}


def test_two_whose_user_names_end_alike_stay_two(tmp_path: Path) -> None:
    files = {
        f"Lab 4_{user}_attempt_2026-10-1{i}-09-00-00_{LOOP}": f"{user} = 1"
        for i, user in enumerate(("a_doe", "b_doe", "rroe"))
    }
    found, refused = read(put(tmp_path, files))
    assert not refused
    assert sorted(found) == ["Lab 4_a_doe", "Lab 4_b_doe", "rroe"]


def test_a_receipt_makes_nobody_another(tmp_path: Path) -> None:
    """What a student is called, or writes into the comments, is no user name."""
    files = {
        "Lab_alice_attempt_2026-10-12-09-00-00.txt": "Name: Alice Ash (alice)",
        f"Lab_alice_attempt_2026-10-12-09-00-00_{LOOP}": "alice = 1",
        "Lab_mallory_attempt_2026-10-13-09-00-00.txt": "Name: Alice Ash (alice)\nComments: x",
        f"Lab_mallory_attempt_2026-10-13-09-00-00_{LOOP}": "mallory = 1",
    }
    found, _ = read(put(tmp_path, files))
    assert {s: (w.origin["user"], w.program.text) for s, w in found.items()} == {
        "Alice Ash_alice": ("alice", "alice = 1"),
        "mallory": ("mallory", "mallory = 1"),
    }


def test_names_and_users_that_make_one_word_stay_two(tmp_path: Path) -> None:
    files = {
        "Lab_b_c_attempt_2026-10-12-09-00-00.txt": "Name: A (b_c)",
        f"Lab_b_c_attempt_2026-10-12-09-00-00_{LOOP}": "one = 1",
        "Lab_c_attempt_2026-10-13-09-00-00.txt": "Name: A_b (c)",
        f"Lab_c_attempt_2026-10-13-09-00-00_{LOOP}": "two = 1",
    }
    found, _ = read(put(tmp_path, files))
    assert sorted(w.program.text for w in found.values()) == ["one = 1", "two = 1"]


@pytest.mark.parametrize(
    "name", ["training_loop (1).ipynb", "training_loop final.py", "training_loop_v2.zip"]
)
def test_under_a_name_that_anybody_may_take_two_programs_are_a_persons_to_choose(
    tmp_path: Path, name: str
) -> None:
    files = {
        f"Alice Ash - {LOOP}": "alice = 1",
        f"Alice Ash - {name}": packed({LOOP: "m = 1"}) if name.endswith("zip") else "mallory = 1",
        f"Rob Roe - {LOOP}": "rob = 1",
    }
    found, refused = read(put(tmp_path, files))
    assert sorted(found) == ["Rob Roe"]
    assert "Google Classroom does not say who handed in each of" in refused["Alice Ash"].reason


def test_an_ordinary_class_is_read_as_before(tmp_path: Path) -> None:
    files = {
        "alice - Copy.py": "a = 2", "alice.py": "a = 1", "bob - v2.py": "b = 2", "bob.py": "b = 1",
        "five-beats-v1/training_loop.py": "x = 1", "five-beats-v2/training_loop.py": "x = 2",
        "Doe, Jane(x)/training_loop.py": "j = 1",
    }  # fmt: skip
    found, refused = read(put(tmp_path, files))
    names = {*found, *refused}
    assert names == {"alice", "bob", "five-beats-v1", "five-beats-v2", "Doe, Jane(x)"}
    assert not any(w.origin for w in found.values())


def test_repositories_are_known_by_the_assignment_before_the_user(tmp_path: Path) -> None:
    files = {f"04-training-loop-{u}/{LOOP}": f"{u[:2]} = 1" for u in ("ann-lee", "ann-roe")}
    assert sorted(read(put(tmp_path / "class", files))[0]) == ["ann-lee", "ann-roe"]


def test_one_students_folder_or_file_is_named_as_in_the_class(tmp_path: Path) -> None:
    put(tmp_path / "b", BRIGHTSPACE)
    put(tmp_path / "k", BLACKBOARD)
    put(tmp_path, GITHUB)
    paths = [
        tmp_path / "b" / "104840-170649 - Jane Doe - Nov 26, 2025 933 PM",
        tmp_path / "b" / "104840-170649 - Jane Doe - Nov 25, 2025 1100 AM",
        tmp_path / "k" / f"Lab_4 loops_rroe_attempt_2026-10-13-00-20-00_{LOOP}",
        tmp_path / "lab-4-submissions" / "lab-4-jdoe",
    ]
    taken = take_in(paths, A4, KNOWN, zone=BERLIN)
    assert not taken.refused
    assert {s.student: s.program.text for s in taken.submissions} == {
        "Jane Doe_104840": "jane = 2",
        "rroe": "rob = 1",
        "jdoe": "jane = 1",
    }
