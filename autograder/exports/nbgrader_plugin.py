"""nbgrader's side of `repair`: give a submitted notebook its grade ids back before it is graded.

Theory. nbgrader finds cells by their grade ids alone. Where an editor has dropped them, or a cell
was copied with its own or merged into another, `nbgrader autograde` ends with an error and the
student with nothing. So its first step is this one, named in `nbgrader_config.py`: each cell of
the handout gets its metadata back on the one cell that stands for it, as `mend` tells it; of
copies the last one that is more than the stub keeps them; a cell that is gone comes back without
code. No line of code is moved or changed: that is left to the reading of the file behind
`grade("…")`, which is the one of `autograder grade`.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from ..intake.handout import handout
from ..intake.repair import Handout, Piece

GONE = "# This cell was not handed in."


class RestoreIds(NbGraderPreprocessor):  # type: ignore[misc] # it ships no types
    """The preprocessor; `root` is the course's folder, which holds the releases."""

    root = Unicode("", help="The course's folder.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Returns the notebook with its ids, and what nbgrader hands around, as it was."""
        about = resources["nbgrader"]
        name, module = about["assignment"], about["notebook"]
        given = handout(Path(self.root), name, module)
        if given is not None:
            path = Path(self.root) / "release" / name / f"{module}.ipynb"
            for said in restore(nb, given, json.loads(path.read_text(encoding="utf-8"))):
                self.log.warning("%s", said)
        return nb, resources


def restore(nb: Any, given: Handout, release: dict[str, Any]) -> list[str]:
    """Put the grade ids of `release` on the cells of `nb` that stand for its own.

    `given` are the code cells of that release. Returns a line for each thing done.
    """
    made = {
        c["metadata"]["nbgrader"]["grade_id"]: c
        for c in release["cells"]
        if c["cell_type"] == "code" and "nbgrader" in c["metadata"]
    }
    pieces = [_piece(c) for c in nb.cells]
    found = [given.find(p) for p in pieces]
    said: list[str] = []
    behind = -1  # the cell below which a missing one comes back
    added: list[tuple[int, Any]] = []
    for i, cell in enumerate(given.cells):
        if cell.grade_id not in made:
            continue
        holders = [k for k, which in enumerate(found) if which == i]
        worked = [k for k in holders if pieces[k].bare != cell.bare]
        metadata = nbformat.from_dict(copy.deepcopy(made[cell.grade_id]["metadata"]))
        if not holders:
            new = nbformat.v4.new_code_cell(GONE, metadata=metadata)
            if nb.nbformat_minor < 5:
                new.pop("id", None)
            added.append((behind, new))
            said.append(f"{cell.grade_id} is missing; an empty cell came in its place")
            continue
        behind = (worked or holders)[-1]
        for k in holders:
            nb.cells[k].metadata.pop("nbgrader", None)
        nb.cells[behind].metadata.update(metadata)
        if pieces[behind].grade_id != cell.grade_id:
            said.append(f"{cell.grade_id} had lost its grade id, which was put back")
        if len(holders) > 1:
            said.append(f"{cell.grade_id} is there {len(holders)} times; the last one counts")
    for where, new in sorted(added, key=lambda one: one[0])[::-1]:
        nb.cells.insert(where + 1, new)
    return said


def _piece(cell: Any) -> Piece:
    grading = cell.metadata.get("nbgrader") or {}
    name = grading.get("grade_id", "") if isinstance(grading, dict) else ""
    return Piece(cell.source, str(name), str(cell.get("id", "")), cell.cell_type == "code")
