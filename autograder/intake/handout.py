"""The releases as handouts, beside which submitted notebooks are read (see `repair`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, SubmissionError
from .notebook import read_cells
from .repair import Handout, Handouts


def handout(root: Path, assignment: str, module: str) -> Handout | None:
    """What students of `assignment` were given, from the course at `root`.

    None where the course holds no release of it: notebooks are then read as they stand.
    Raises `InputError` for a release that cannot be read.
    """
    path = root / "release" / assignment / f"{module}.ipynb"
    if not path.is_file():
        return None
    try:
        cells, _ = read_cells(path.name, path.read_bytes())
    except (OSError, SubmissionError) as e:
        what = f"the release cannot be read: {e}"
        raise InputError(what, where=path, remedy=f"run: autograder release {assignment}") from e
    return Handout(tuple(c for c in cells if c.code))


def handouts(root: Path, known: Mapping[str, str]) -> Handouts:
    """The handouts of the assignments in `known` (id to module) that are released."""
    found = {i: handout(root, i, module) for i, module in known.items()}
    return {i: h for i, h in found.items() if h is not None}
