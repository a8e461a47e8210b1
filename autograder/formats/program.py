"""A file's bytes as a `model.Program`: the text of a script, or the code cells of a notebook.

Only the code is taken: outputs, metadata and text cells of a notebook never reach a box, nor do
the cells in which otter checks its own tests. A notebook that is no longer as it was handed out
(copied or reordered cells, an old format) runs as it stands, and a note says so.
The reading is tolerant of what students' tools write (a byte order mark, UTF-16 from
Windows, a source given as a list of lines, the older notebook format 3 with worksheets)
and refuses what cannot be run, in words a teaching assistant can pass on.
"""

from __future__ import annotations

import codecs
import io
import json
import re
import tokenize
from pathlib import PurePath
from typing import Any

from ..errors import SubmissionError
from ..model import Program
from ..text import clean

PROGRAM_CAP = 32 << 20
CELL_CAP = 5_000
SUFFIXES = (".py", ".ipynb")
_TASK = re.compile(r"task_?(\d{1,3})(?!\d)")
_OTTER = re.compile(
    r"\s*(#[^\n]*\s+)?import otter\s+grader = otter\.Notebook\([^()\n]*\)\s*"
    r"|\s*grader\.(check|check_all|export)\([^()\n]*\)\s*"
)
"""otter's own cells, whole: they test the student's work, and are no part of it."""
STUB = re.compile(r"YOUR CODE HERE|raise\s+NotImplementedError")


def is_program(name: str) -> bool:
    """Whether a file of this name is a script or a notebook."""
    return PurePath(name).suffix.lower() in SUFFIXES


def read_program(name: str, raw: bytes) -> tuple[Program, tuple[str, ...]]:
    """The program in a file, and notes on what had to be mended to read it.

    Raises `SubmissionError` where there is no Python program to be had.
    """
    name = clean(name).replace("\\", "_")
    if name.lower().endswith(".ipynb"):
        return _notebook(name, raw)
    text, notes = _decode(name, raw)
    return Program("script", name, (text,)), notes


def stubs(program: Program) -> int:
    """How many places the handout left open are still open."""
    return len(STUB.findall(program.text))


def same_code(a: Program, b: Program) -> bool:
    """Whether two programs hold the same code, comments and white space apart."""
    return _bare(a) == _bare(b)


def _bare(program: Program) -> str:
    return "".join(re.sub(r"#[^\n]*", "", program.text).split())


def _decode(name: str, raw: bytes) -> tuple[str, tuple[str, ...]]:
    """A script's text, by its byte order mark or coding line, as Python itself reads it."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), (f"{name} was saved as UTF-16; read as that",)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding), ()
    except (SyntaxError, UnicodeDecodeError, LookupError):
        note = f"{name} is not valid UTF-8; characters that could not be read were replaced"
        return raw.decode("utf-8", "replace"), (note,)


def _notebook(name: str, raw: bytes) -> tuple[Program, tuple[str, ...]]:
    def refuse(what: str, remedy: str) -> SubmissionError:
        return SubmissionError(what, where=clean(name), remedy=remedy)

    if not raw.strip():
        raise refuse("is empty", "ask for the notebook again")
    try:
        tree: Any = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as e:
        raise refuse(
            "is not a notebook: its JSON cannot be read", "ask for the .ipynb file itself"
        ) from e
    if not isinstance(tree, dict):
        raise refuse("is not a notebook: it has no cells", "ask for the .ipynb file itself")
    cells = tree.get("cells")
    if cells is None and isinstance(tree.get("worksheets"), list):
        sheets = tree["worksheets"]
        cells = [c for s in sheets if isinstance(s, dict) for c in s.get("cells", ())]
    if not isinstance(cells, list):
        raise refuse("is not a notebook: it has no cells", "ask for the .ipynb file itself")
    language = _language(tree)
    if language not in ("", "python", "python3", "ipython", "ipython3"):
        raise refuse(f"is a notebook in {clean(language)[:40]}", "hand in a Python notebook")
    code = [c for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"]
    if len(code) > CELL_CAP:
        raise refuse(
            f"has {len(code)} code cells, more than {CELL_CAP}", "hand in the notebook alone"
        )
    kept = [c for c in code if not _OTTER.fullmatch(_source(c))]
    notes = _remarks(name, tree, code, len(code) - len(kept))
    return Program("notebook", name, tuple(_source(c) for c in kept)), notes


def _remarks(
    name: str, tree: dict[str, Any], code: list[dict[str, Any]], otters: int
) -> tuple[str, ...]:
    """What a reader should know of a notebook that is not as it was handed out.

    Cells are matched by their grade ids. None is moved or put back: cells run in the file's
    order, as they would under the student's hands, and whatever is missing is told by its check.
    """
    said = []
    if "worksheets" in tree and "cells" not in tree:
        said.append(f"{name} is in notebook format 3; its cells were read as they are")
    if otters:
        said.append(f"{name}: {otters} of otter's own cells were left out")
    ids = [i for c in code if (i := _grade_id(c))]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        shown = ", ".join(clean(i)[:40] for i in twice[:4])
        said.append(f"{name}: copied cells ({shown}); all of them ran, and the last one counts")
    tasks = [int(m[1]) for i in ids if (m := _TASK.match(i))]
    if tasks != sorted(tasks):
        said.append(f"{name}: its cells are not in the handout's order; they ran as they stand")
    return tuple(said)


def _grade_id(cell: dict[str, Any]) -> str:
    """A cell's grade id, "" where a tool has dropped it or it never had one."""
    metadata = cell.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    found = grading.get("grade_id") if isinstance(grading, dict) else None
    return found if isinstance(found, str) else ""


def _language(tree: dict[str, Any]) -> str:
    """The kernel's language in lower case, or "" where the notebook does not say."""
    metadata = tree.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(section)
        if isinstance(part, dict) and isinstance(part.get(key), str):
            return str(part[key]).lower()
    return ""


def _source(cell: dict[str, Any]) -> str:
    """A cell's text; lone surrogates, which no file of Python can hold, are replaced."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    return text.encode("utf-8", "replace").decode("utf-8")
