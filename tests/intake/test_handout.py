"""The releases as handouts: found, absent, broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.intake.handout import handout, handouts
from tests.notebooks import MODULES
from tests.samples import ROOT


def test_every_release_is_a_handout_of_given_solution_and_test_cells() -> None:
    found = handouts(ROOT, {**MODULES, "99-none": "none"})
    assert set(found) == set(MODULES)
    for given in found.values():
        assert {c.role for c in given.cells} == {"given", "solution", "test"}
        first = given.cells[0]
        assert first.role == "given" and first.names.quiet and "nn" in first.names.binds


def test_a_release_that_cannot_be_read_is_the_instructors_to_mend(tmp_path: Path) -> None:
    folder = tmp_path / "release" / "01-a"
    folder.mkdir(parents=True)
    (folder / "a.ipynb").write_text("{")
    with pytest.raises(InputError, match="autograder release 01-a"):
        handout(tmp_path, "01-a", "a")
