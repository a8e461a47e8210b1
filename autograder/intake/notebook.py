"""A notebook file's bytes as its cells, tolerant of tools and strict with tricks.

Theory. Whatever an editor writes is read: a byte order mark, UTF-16, a source given as a list of
lines, the older format 3 with worksheets, any metadata, with outputs or stripped of them. A file
that no editor writes (a cell that is no object, a source that is no text, a key that stands
twice so that one reader sees other code than the next) is refused in one line; so is one made
to exhaust whoever reads it, before it is parsed. Of all this only the cells' text, their ids and
their grading metadata go on: outputs and text never reach a box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import SubmissionError
from ..text import clean
from .repair import Piece, Role

CELL_CAP = 5_000
VALUE_CAP = 1_000_000
"""Lists and objects that a notebook may hold, outputs included."""
AGAIN = "ask for the .ipynb file itself"
_READ = frozenset(
    ("cells", "worksheets", "cell_type", "source", "input", "metadata", "nbgrader", "grade_id")
)
_PYTHON = frozenset(("", "python", "python3", "ipython", "ipython3"))


def looks_like_notebook(raw: bytes) -> bool:
    """Whether bytes under another name are a notebook's JSON; Colab writes such `.py` files."""
    return raw[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and bool(
        re.search(rb'"(cells|nbformat)"\s*:', raw)
    )


def read_cells(name: str, raw: bytes) -> tuple[list[Piece], list[str]]:
    """The code cells in order, with cells of text that carry a grade id, and remarks.

    Raises `SubmissionError`, one line, where there is no Python notebook to be had.
    """
    tree = _tree(name, raw)
    said: list[str] = []
    cells = tree.get("cells")
    if cells is None and isinstance(tree.get("worksheets"), list):
        said.append(f"{name} is in notebook format 3; its cells were read as they are")
        cells = []
        for sheet in tree["worksheets"]:
            inner = sheet.get("cells") if isinstance(sheet, dict) else None
            if not isinstance(inner, list):
                raise _refuse(name, "is not a notebook: a worksheet has no cells", AGAIN)
            cells += inner
    if not isinstance(cells, list):
        raise _refuse(name, "is not a notebook: it has no cells", AGAIN)
    language = _language(tree)
    if language not in _PYTHON:
        raise _refuse(name, f"is a notebook in {clean(language)[:40]}", "hand in a Python notebook")
    if len(cells) > CELL_CAP:
        what = f"has {len(cells)} cells, more than {CELL_CAP}"
        raise _refuse(name, what, "hand in the notebook alone")
    return [p for i, c in enumerate(cells, 1) if (p := _piece(name, i, c)) is not None], said


def _refuse(name: str, what: str, remedy: str) -> SubmissionError:
    return SubmissionError(what, where=clean(name), remedy=remedy)


def _tree(name: str, raw: bytes) -> dict[str, Any]:
    """The JSON of a file, its size and keys checked."""
    if not raw.strip():
        raise _refuse(name, "is empty", "ask for the notebook again")
    if re.search(rb"^<{7} ", raw, re.MULTILINE):
        what = "holds the marks of a merge in git that was left unfinished"
        raise _refuse(name, what, "finish the merge and hand in again")
    values = raw.count(b"{") + raw.count(b"[")
    if values > VALUE_CAP:
        what = f"holds {values:,} lists and objects, more than {VALUE_CAP:,}"
        raise _refuse(name, what, "clear the outputs and hand in again")
    try:
        text = raw.decode(json.detect_encoding(raw))
        tree: Any = json.loads(text, object_pairs_hook=_unique)
    except _TwiceError as e:
        what = f"is not a notebook: {e} stands twice in one object"
        raise _refuse(name, what, "save it with Jupyter again") from e
    except (ValueError, RecursionError) as e:
        raise _refuse(name, "is not a notebook: its JSON cannot be read", AGAIN) from e
    if not isinstance(tree, dict):
        raise _refuse(name, "is not a notebook: it has no cells", AGAIN)
    return tree


class _TwiceError(Exception):
    """A key that is read here stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted(key for key in _READ if keys.count(key) > 1)
        if twice:
            raise _TwiceError(f'"{twice[0]}"')
    return found


def _piece(name: str, number: int, cell: Any) -> Piece | None:
    """One cell of the list; None for a cell of text that is nobody's answer."""
    if not isinstance(cell, dict):
        what = f"is not a notebook: its cell {number} is no cell"
        raise _refuse(name, what, "save it with Jupyter again")
    code = cell.get("cell_type") == "code"
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    grading = metadata.get("nbgrader")
    grading = grading if isinstance(grading, dict) else {}
    grade_id = _text(grading.get("grade_id"))
    if not code and not grade_id:
        return None
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str | None):
        what = f"is not a notebook: its cell {number} holds no text"
        raise _refuse(name, what, "save it with Jupyter again")
    # Lone surrogates, which no file of Python can hold, are replaced.
    text = (source or "").encode("utf-8", "replace").decode("utf-8")
    cell_id = _text(cell.get("id")) or _text(metadata.get("id"))
    return Piece(text, grade_id, cell_id, code, _role(grading))


def _text(value: object) -> str:
    """An id, "" where it is none: a tool has dropped it, or somebody played with it."""
    return value if isinstance(value, str) and len(value) <= 256 else ""


def _role(grading: Mapping[str, Any]) -> Role:
    if grading.get("solution"):
        return "solution"
    return "test" if grading.get("grade") else "given"


def _language(tree: Mapping[str, Any]) -> str:
    """The kernel's language in lower case, or "" where the notebook does not say."""
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(section)
        if isinstance(part, dict) and isinstance(part.get(key), str):
            return str(part[key]).lower()
    return ""
