"""Notebooks and scripts as text: read a program, read a master, strip what is not for students.

A master is a percent-format script (jupytext). Its code cells are of four kinds, told by
their nbgrader metadata and tags:

    shared     no `nbgrader`                      the same for everybody
    solution   solution: true                     `### BEGIN/END SOLUTION` becomes a stub
    public     grade: true, tag "public"          students see and run it
    hidden     grade: true                        `### BEGIN/END HIDDEN TESTS` is cut out

A submission is a notebook of any version that nbformat can read, or a script.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from .errors import SourceError, SubmissionError
from .model import Program

_nbformat: Any = nbformat  # it ships no types for what we call
SIZE_CAP = 10 * 2**20
_MARK = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$")
_NEARLY = re.compile(r"#+\s*(BEGIN|END)\b.*\b(SOLUTION|HIDDEN|TEST)", re.IGNORECASE)
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")


def program_from_bytes(name: str, raw: bytes) -> Program:
    """A submission's program from its file's name and content.

    Raises `SubmissionError` for another kind of file, one that is too large, not UTF-8, not a
    notebook, or without a line of code.
    """
    if len(raw) > SIZE_CAP:
        raise SubmissionError(
            f"is larger than {SIZE_CAP // 2**20} MiB", where=name, remedy="clear its outputs"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise SubmissionError(
            f"is not UTF-8 text (byte {e.start})", where=name, remedy="save it as UTF-8"
        ) from e
    if name.endswith(".ipynb"):
        cells = _notebook_cells(name, text)
        kind = "notebook"
    elif name.endswith(".py"):
        cells, kind = (text.replace("\r\n", "\n"),), "script"
    else:
        raise SubmissionError(
            "is neither a .py nor an .ipynb file", where=name, remedy="hand in one of these"
        )
    if not any(cell.strip() for cell in cells):
        raise SubmissionError("holds no code", where=name, remedy="hand in the file you worked in")
    return Program("notebook" if kind == "notebook" else "script", name, cells)


def read_program(path: Path) -> Program:
    """`program_from_bytes` of a file on disk."""
    try:
        with path.open("rb") as f:
            raw = f.read(SIZE_CAP + 1)
    except OSError as e:
        raise SubmissionError(
            f"cannot be read: {e.strerror}", where=path, remedy="check the path and its rights"
        ) from e
    return program_from_bytes(path.name, raw)


def _notebook_cells(name: str, text: str) -> tuple[str, ...]:
    """The code cells' sources of a notebook of format 3 or 4, in order."""
    remedy = "open it in Jupyter and save it again"
    try:
        raw = json.loads(text)
        version = raw.get("nbformat", 0)
        book: Any = _nbformat.from_dict(raw)
        if version < 4:
            book = _nbformat.convert(book, 4)
        cells = [
            "".join(c["source"]) if isinstance(c["source"], list) else str(c["source"])
            for c in book["cells"]
            if c["cell_type"] == "code"
        ]
    except Exception as e:  # nbformat raises whatever it trips over
        what = f"is not a notebook ({type(e).__name__})"
        raise SubmissionError(what, where=name, remedy=remedy) from e
    return tuple(cells)


@dataclass(frozen=True)
class Cell:
    """One cell of a master. `line` is the first line of its source in the file."""

    kind: str
    source: str
    line: int
    grade_id: str = ""
    points: float = 0.0
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_code(self) -> bool:
        return self.kind not in ("markdown", "manual")


def _kind(cell: Any, where: Path, line: int) -> str:
    if cell.cell_type == "raw":
        raise SourceError("raw cells are not used", where=where, line=line, remedy="use markdown")
    grading = cell.metadata.get("nbgrader", {})
    if cell.cell_type == "markdown":
        return "manual" if grading.get("grade") else "markdown"
    if grading.get("solution"):
        return "solution"
    if grading.get("grade"):
        return "public" if "public" in cell.metadata.get("tags", []) else "hidden"
    return "shared"


def read_master(path: Path) -> tuple[Cell, ...]:
    """The cells of a percent-format master. Raises `SourceError` with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SourceError(f"cannot be read: {e}", where=path, remedy="check the path") from e
    book = jupytext.reads(text, fmt="py:percent")
    lines = text.splitlines()
    starts = [i + 1 for i, line in enumerate(lines) if re.match(r"# %%(\s|$)", line)]
    offset = len(book.cells) - len(starts)
    found: list[Cell] = []
    seen: set[str] = set()  # grade_ids
    for i, cell in enumerate(book.cells):
        line = starts[i - offset] + 1 if 0 <= i - offset < len(starts) else 1
        kind = _kind(cell, path, line)
        grading = cell.metadata.get("nbgrader", {})
        name = grading.get("grade_id", "")
        if grading and (not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in seen):
            raise SourceError(
                f"grade_id {name!r} is missing, malformed or used twice",
                where=path,
                line=line,
                remedy="letters, digits, - and _; each once",
            )
        if grading:
            seen.add(name)
        _check_marks(kind, cell.source, path, line)
        metadata = {k: v for k, v in cell.metadata.items() if k in ("nbgrader", "tags")}
        points = float(grading.get("points", 0))
        found.append(Cell(kind, cell.source, line, name, points, metadata))
    return tuple(found)


def _check_marks(kind: str, source: str, where: Path, line: int) -> None:
    """Refuse markers that would not hide what they are meant to hide."""
    wanted = {"solution": "SOLUTION", "hidden": "HIDDEN TESTS"}.get(kind)
    opened: int | None = None
    count = 0

    def refuse(what: str, at: int, remedy: str) -> SourceError:
        return SourceError(what, where=where, line=at, remedy=remedy)

    for at, text in enumerate(source.splitlines(), start=line):
        match = _MARK.match(text)
        if match is None:
            if _NEARLY.search(text):
                raise refuse(
                    f"{text.strip()!r} is nearly a marker",
                    at,
                    "write ### BEGIN or ### END, then SOLUTION or HIDDEN TESTS, on its own line",
                )
            continue
        edge, what = match.groups()
        if what != wanted:
            raise refuse(f"{edge} {what} in a {kind} cell", at, "mend the cell's metadata")
        if edge == "BEGIN" and opened is not None:
            raise refuse(f"BEGIN {what} inside that of line {opened}", at, "close it first")
        if edge == "END" and opened is None:
            raise refuse(f"END {what} without a BEGIN", at, "open it first")
        opened = at if edge == "BEGIN" else None
        count += 1
    if opened is not None:
        raise refuse(f"BEGIN {wanted} without an END", opened, f"add ### END {wanted}")
    if wanted and not count:
        raise refuse(f"a {kind} cell without ### BEGIN {wanted}", line, "mark what is hidden")


def student_source(source: str) -> str:
    """A cell as students get it: solutions become stubs, hidden tests disappear."""
    out: list[str] = []
    inside = ""
    for line in source.splitlines():
        match = _MARK.match(line)
        if match is None:
            if not inside:
                out.append(line)
            continue
        edge, what = match.groups()
        inside = what if edge == "BEGIN" else ""
        if edge == "BEGIN" and what == "SOLUTION":
            indent = line[: len(line) - len(line.lstrip())]
            out.extend(indent + text for text in STUB)
    return "\n".join(out).strip("\n")


def solved_source(source: str) -> str:
    """A cell with its solution and tests, without the marker lines."""
    return "\n".join(line for line in source.splitlines() if not _MARK.match(line))
