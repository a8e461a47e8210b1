"""Samples as the notebooks a student would hand in, made from the real releases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat

from autograder.course import config
from tests.samples import ASSIGNMENTS, ROOT

NOTEBOOKS = {
    name: f"{config.assignment(ROOT / 'assignments' / name / 'assignment.yml').module}.ipynb"
    for name in ASSIGNMENTS
}
MAGIC = re.compile(r"^[%!].*\n?", re.MULTILINE)


def release(assignment: str) -> dict[str, Any]:
    """The notebook that students of `assignment` get, as a tree."""
    path = ROOT / "release" / assignment / NOTEBOOKS[assignment]
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def code_of(sample: Path) -> str:
    """A sample's whole program as one text; a notebook's cells one below the other, without the
    lines that are IPython's (`!pip install`, `%matplotlib inline`).
    """
    (path,) = [p for p in sample.iterdir() if p.suffix in (".py", ".ipynb")]
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8")
    book: Any = nbformat.read(path, as_version=4)
    cells = (c.source for c in book.cells if c.cell_type == "code")
    return "\n\n".join(MAGIC.sub("", c) for c in cells)


def hand_in(assignment: str, sample: Path, folder: Path) -> Path:
    """A sample's code in the release's notebook: all of it in the first cell to be written,
    the other stubs emptied, test cells and ids as they were released. Returns the file.
    """
    book = release(assignment)
    code = code_of(sample)
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"], code = code, ""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NOTEBOOKS[assignment]
    path.write_text(json.dumps(book), encoding="utf-8")
    return path
