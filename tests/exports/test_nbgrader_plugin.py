"""Grade ids put back for nbgrader; that it then grades is tried in tests/end_to_end."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import nbformat
import pytest

from autograder.exports.nbgrader_plugin import GONE, restore
from autograder.intake.handout import handout
from tests.notebooks import MODULES, changes, grade_id, release, solved
from tests.samples import ROOT

NAME = "04-training-loop"


_nbformat: Any = nbformat  # it ships no types for what we call


def restored(book: dict[str, Any]) -> tuple[Any, list[str]]:
    given = handout(ROOT, NAME, MODULES[NAME])
    assert given is not None
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"])
    node: Any = _nbformat.reads(json.dumps(book), as_version=4)
    said = restore(node, given, release(NAME))
    return node, said


def ids(book: Any) -> list[str]:
    return [grade_id(c) for c in book["cells"] if c["cell_type"] == "code" and grade_id(c)]


WANTED = ids(release(NAME))
CHANGES = (
    "none", "without_grade_ids", "vscode", "colab_bare", "doubled", "split", "stubs_below",
    "merged", "tests_lost", "backwards", "own_cells",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of ids that stand twice, which nbformat mends as it reads
@pytest.mark.parametrize("change", CHANGES)
def test_every_grade_id_is_there_once_with_its_own_metadata(change: str) -> None:
    book = solved(NAME) if change == "none" else changes(NAME)[change](solved(NAME))
    before = ["".join(c["source"]) for c in book["cells"]]
    found, said = restored(book)
    assert Counter(ids(found)) == Counter(WANTED)
    assert bool(said) == (change not in ("none", "backwards", "own_cells"))
    theirs = {grade_id(c): c["metadata"]["nbgrader"] for c in release(NAME)["cells"] if grade_id(c)}
    for cell in found.cells:
        if grade_id(cell):
            assert cell.metadata.nbgrader == theirs[grade_id(cell)]
    texts = [c.source for c in found.cells if c.source != GONE]
    assert texts == before, "no line of anybody's is moved or changed"


@pytest.mark.filterwarnings("ignore")  # see above
def test_of_copies_the_last_that_is_more_than_the_stub_keeps_its_id() -> None:
    found, _ = restored(changes(NAME)["stubs_below"](solved(NAME)))
    kept = {grade_id(c): c.source for c in found.cells if grade_id(c)}
    assert "NotImplementedError" not in kept["task2-train"]
    found, _ = restored(changes(NAME)["split"](solved(NAME)))
    kept = {grade_id(c): c.source for c in found.cells if grade_id(c)}
    assert kept["task7-mnist"].startswith("def train_mnist")


def test_missing_cells_come_back_empty_and_in_the_handouts_order() -> None:
    book = solved(NAME)
    book["cells"] = []
    found, said = restored(book)
    assert ids(found) == WANTED and len(said) == len(WANTED)
    assert {c.source for c in found.cells} == {GONE}
