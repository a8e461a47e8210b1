"""The program that a page shows is the one that was graded, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.model import Program, Submission
from autograder.results import programs


def submission(text: str = "x = 1", student: str = "ann") -> Submission:
    return Submission(student, "a", Program("script", "x.py", (text,)), {})


def test_a_program_comes_back_for_its_own_submission_alone(tmp_path: Path) -> None:
    first, second = submission(), submission("x = 2")
    programs.write(tmp_path, first)
    assert programs.read(tmp_path, "ann", "a", first.digest) == first.program
    assert programs.read(tmp_path, "ann", "a", second.digest) is None
    programs.write(tmp_path, second)
    assert programs.read(tmp_path, "ann", "a", first.digest) is None
    assert programs.read(tmp_path, "bob", "a", second.digest) is None


def test_one_that_is_too_large_leaves_no_older_one_behind(tmp_path: Path) -> None:
    programs.write(tmp_path, submission())
    programs.write(tmp_path, submission("#" * (programs.CAP + 1)))
    assert not programs.path_of(tmp_path, "ann", "a").exists()


@pytest.mark.parametrize("junk", ["", "[]", "{}", '{"submission": 3}', '"x"', "\x00"])
def test_a_broken_file_shows_nothing(tmp_path: Path, junk: str) -> None:
    path = programs.path_of(tmp_path, "ann", "a")
    path.parent.mkdir(parents=True)
    path.write_text(junk)
    assert programs.read(tmp_path, "ann", "a", "") is None


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    out = tmp_path / "out"
    programs.write(out, submission(student="../../x"))
    assert len(list(out.rglob("*.json"))) == 1 == len(list(tmp_path.rglob("*.json")))
