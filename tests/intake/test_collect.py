"""Intake: every layout finds its students, and nothing hostile or broken stops the class."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.intake.collect import Refused, collect
from autograder.model import Submission
from autograder.text import clean
from tests.handing import A4, A5, KNOWN, packed, put


def notebook(*cells: str, **extra: object) -> str:
    listed = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": []} for c in cells]
    text = {"cell_type": "markdown", "source": "# words", "metadata": {}}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *listed], **extra}
    )


def take(
    path: Path, assignment: str | None = None
) -> tuple[dict[tuple[str, str], Submission], list[Refused]]:
    found, refused = collect([path], assignment, KNOWN)
    return {(s.student, s.assignment): s for s in found}, refused


# -- layouts -------------------------------------------------------------------------------


def test_one_file_is_named_by_its_stem(tmp_path: Path) -> None:
    put(tmp_path, {"alice.py": "x = 1\n", "bob.py": "y = 2\n"})
    found, refused = take(tmp_path / "alice.py", A4)
    assert list(found) == [("alice", A4)] and refused == []
    submission = found["alice", A4]
    assert submission.program.kind == "script"
    assert submission.program.cells == ("x = 1\n",)
    assert dict(submission.files) == {"alice.py": b"x = 1\n"}


def test_one_file_finds_its_assignment_by_name(tmp_path: Path) -> None:
    put(tmp_path, {"five_beats.py": "x = 1"})
    found, _ = take(tmp_path / "five_beats.py")
    assert list(found) == [("five_beats", A5)]


def test_a_folder_of_files(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"bob.ipynb": notebook("a = 1", "b = 2"), "alice.py": "x = 1", "roster.csv": "a,b"},
    )
    found, refused = take(tmp_path, A4)
    assert list(found) == [("alice", A4), ("bob", A4)] and refused == []
    assert found["bob", A4].program.cells == ("a = 1", "b = 2")


def test_a_folder_of_files_with_the_assignment_in_their_names(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"alice_training_loop.py": "1", "bob-five_beats.ipynb": notebook("1"), "carol.py": "1"},
    )
    found, refused = take(tmp_path)
    assert set(found) == {("alice_training_loop", A4), ("bob-five_beats", A5)}
    assert [r.student for r in refused] == ["carol"]
    assert "cannot tell which assignment" in refused[0].reason and "-a" in refused[0].reason


def test_a_folder_per_student_takes_the_files_beside(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "alice/training_loop.py": "import helper",
            "alice/helper.py": "h = 1",
            "alice/lib/deep.py": "d = 1",
            "alice/.secret": "no",
            "alice/__pycache__/x.pyc": "no",
            "alice/data/MNIST/raw/train-images-idx3-ubyte": "no",
            "bob/training_loop.ipynb": notebook("1"),
        },
    )
    found, refused = take(tmp_path)
    assert list(found) == [("alice", A4), ("bob", A4)] and refused == []
    alice = found["alice", A4]
    assert sorted(alice.files) == ["helper.py", "lib/deep.py", "training_loop.py"]
    assert alice.program.main == "training_loop.py"
    note = " ".join(alice.notes)
    assert ".secret (hidden)" in note and "data/ (a data set" in note and "pycache" not in note


def test_a_folder_per_student_and_assignment(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            f"alice/{A4}/work.py": "1",
            f"alice/{A4}/timestamp.txt": "2026-03-01 12:00:00.5 UTC",
            f"alice/{A5}/five_beats.py": "2",
            f"bob/{A5}/five_beats.py": "3",
        },
    )
    found, refused = take(tmp_path)
    assert list(found) == [("alice", A4), ("alice", A5), ("bob", A5)] and refused == []
    assert found["alice", A4].submitted_at == "2026-03-01T12:00:00+00:00"
    only, refused = take(tmp_path, A4)
    assert list(only) == [("alice", A4)], "bob handed in nothing for 04: no record, no grade"
    assert refused == []


def test_one_students_folder_named_on_the_command_line(tmp_path: Path) -> None:
    put(tmp_path, {"carol/training_loop.py": "1", "carol/test_training_loop.py": "2"})
    found, refused = take(tmp_path / "carol")
    assert list(found) == [("carol", A4)] and refused == []
    assert "test_training_loop.py" in found["carol", A4].files


@pytest.mark.parametrize("wrap", ["", "class/"])
def test_a_zip_of_a_class(tmp_path: Path, wrap: str) -> None:
    inner = packed({"training_loop.py": "z = 1"})
    files: dict[str, str | bytes] = {
        f"{wrap}alice.py": "1",
        f"{wrap}bob/training_loop.py": "2",
        f"{wrap}carol.zip": inner,
    }
    put(tmp_path, {"class.zip": packed(files)})
    found, refused = take(tmp_path / "class.zip", A4)
    assert [s for s, _ in found] == ["alice", "bob", "carol"] and refused == []
    assert found["carol", A4].program.text == "z = 1"


def test_a_wrapped_zip_of_one_student(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"alice.zip": packed({"alice-main/src/training_loop.py": "1", "__MACOSX/._x": "2"})},
    )
    found, refused = take(tmp_path)
    assert list(found) == [("alice", A4)] and refused == []


def test_the_order_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    for name in ("zoe", "adam", "mia"):
        put(tmp_path, {f"{name}.py": name})
    found, _ = collect([tmp_path / "zoe.py", tmp_path / "mia.py", tmp_path / "adam.py"], A4, KNOWN)
    assert [s.student for s in found] == ["adam", "mia", "zoe"]


# -- which program --------------------------------------------------------------------------


def test_the_unfinished_twin_of_the_release_is_not_graded(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "alice/training_loop.ipynb": notebook("def f():\n    return 1"),
            "alice/training_loop.py": "# YOUR CODE HERE\nraise NotImplementedError()",
        },
    )
    found, refused = take(tmp_path)
    assert refused == [] and found["alice", A4].program.kind == "notebook"
    assert any("training_loop.ipynb was graded" in n for n in found["alice", A4].notes)


def test_the_modules_name_is_preferred(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"alice/notes.py": "1", "alice/training_loop.py": "2", "alice/training_loop_old.py": "3"},
    )
    found, refused = take(tmp_path)
    assert refused == [] and found["alice", A4].program.text == "2"


def test_several_candidates_are_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, {"alice/one.py": "a = 1", "alice/two.py": "b = 2", "bob/training_loop.py": "1"})
    found, refused = take(tmp_path, A4)
    assert list(found) == [("bob", A4)]
    assert refused[0].student == "alice" and refused[0].assignment == A4
    assert "one.py, two.py" in refused[0].reason and "training_loop.py" in refused[0].reason


def test_a_program_named_for_another_assignment_is_not_graded_as_this_one(tmp_path: Path) -> None:
    put(tmp_path, {"alice/five_beats.py": "1"})
    found, refused = take(tmp_path, A4)
    assert found == {} and "named for another assignment" in refused[0].reason


def test_the_newer_of_two_wins_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, {"alice.py": "old = 1", "alice.ipynb": notebook("new = 1")})
    os.utime(tmp_path / "alice.py", (1_000, 1_000))
    found, _ = take(tmp_path, A4)
    assert found["alice", A4].program.text == "new = 1"
    assert any("alice.py was not" in n for n in found["alice", A4].notes)
    os.utime(tmp_path / "alice.py", (9e9, 9e9))
    found, _ = take(tmp_path, A4)
    assert found["alice", A4].program.text == "old = 1"


# -- records instead of crashes ----------------------------------------------------------------


def test_an_empty_script_is_a_submission_and_an_empty_notebook_a_record(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"alice.py": "", "bob.ipynb": "", "carol.ipynb": "{not json", "dora.ipynb": "[" * 100_000},
    )
    found, refused = take(tmp_path, A4)
    assert list(found) == [("alice", A4)] and found["alice", A4].program.cells == ("",)
    assert [(r.student, r.assignment) for r in refused] == [
        ("bob", A4),
        ("carol", A4),
        ("dora", A4),
    ]
    assert "is empty" in refused[0].reason and "JSON" in refused[1].reason


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (notebook("1", metadata={"kernelspec": {"language": "R"}}), "notebook in r"),
        ("[]", "no cells"),
        ('{"cells": 3}', "no cells"),
    ],
)
def test_notebooks_that_are_none(tmp_path: Path, raw: str, part: str) -> None:
    put(tmp_path, {"alice.ipynb": raw})
    found, refused = take(tmp_path, A4)
    assert found == {} and part in refused[0].reason


def test_odd_but_readable_programs(tmp_path: Path) -> None:
    lines = json.loads(notebook("x"))
    lines["cells"][1]["source"] = ["a = 1\n", "b = '\ud800'"]
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "o = 1"}]}]}
    put(
        tmp_path,
        {
            "bom.py": b"\xef\xbb\xbfx = 1",
            "utf16.py": "y = 'ä'".encode("utf-16"),
            "latin.py": b"# coding: latin-1\nz = '\xe4'",
            "broken.py": b"z = '\xe4'",
            "lines.ipynb": json.dumps(lines),
            "old.ipynb": json.dumps(old),
        },
    )
    found, refused = take(tmp_path, A4)
    assert refused == []
    text = {s: found[s, A4].program.text for s, _ in found}
    assert text["bom"] == "x = 1" and text["utf16"] == "y = 'ä'" and text["latin"].endswith("'ä'")
    assert "not valid UTF-8" in found["broken", A4].notes[0]
    assert text["lines"] == "a = 1\nb = '?'" and text["old"] == "o = 1"
    assert all(s.digest.startswith("sha256:") for s in found.values())


def test_a_pdf_is_a_record(tmp_path: Path) -> None:
    put(tmp_path, {"alice.pdf": "%PDF", "bob/report.md": "x", "README.md": "not a student"})
    found, refused = take(tmp_path, A4)
    assert found == {} and [r.student for r in refused] == ["alice", "bob"]


def test_a_refusal_beside_a_submission_is_only_a_note(tmp_path: Path) -> None:
    put(tmp_path, {"alice.py": "1", "alice.pdf": "%PDF"})
    found, refused = take(tmp_path, A4)
    assert refused == [] and "alice.pdf is not a notebook" in found["alice", A4].notes[-1]


def test_names_are_shown_clean_and_never_collide(tmp_path: Path) -> None:
    put(tmp_path, {"alice.py": "a = 1", "ali\u200bce.py": "forged = 1", "bo\x1b[31mb.py": "c = 1"})
    found, _ = take(tmp_path, A4)
    names = sorted(s for s, _ in found)
    assert found["alice", A4].program.text == "a = 1", (
        "an invisible character must not take her place"
    )
    assert len(names) == 3 and "bob" in names
    assert all(clean(n) == n for n in names)


# -- wrong use ------------------------------------------------------------------------------------


def test_wrong_use_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no assignment '99'.*one of"):
        collect([tmp_path], "99", KNOWN)
    with pytest.raises(InputError, match="does not exist"):
        collect([tmp_path / "nothing"], None, KNOWN)
