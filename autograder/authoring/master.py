"""A source's master: read its cells, strip what is not for students, or take its solution.

A master is a percent-format script (jupytext). Its code cells are of four kinds, told by
their nbgrader metadata and tags:

    shared     no `nbgrader`                      the same for everybody
    solution   solution: true                     `### BEGIN/END SOLUTION` becomes a stub, or
                                                  nothing below `ANSWER = None` to fill in
    public     grade: true, tag "public"          students see and run it
    hidden     grade: true                        `### BEGIN/END HIDDEN TESTS` is cut out
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext

from ..course.config import Assignment
from ..errors import SourceError
from ..model import Program

_MARK = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$")
_NEARLY = re.compile(r"#+\s*(BEGIN|END)\b.*\b(SOLUTION|HIDDEN|TEST)", re.IGNORECASE)
_CELL_TASK = re.compile(r"^task_?(\d+)")
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
_PAGE = re.compile(r"\]\((explore/[\w.-]+\.html)\)")
_LEADS_ON = re.compile(rb"<a href=[^>]*>(.*?)</a>", re.DOTALL)
IGNORED = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints"}
"""What trying out a handout leaves beside it."""


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


def given_files(source: Path) -> dict[str, bytes]:
    """The files that students are given beside the handout, by name: all of `given/`."""
    folder = source / "given"
    found = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in found
        if not IGNORED.intersection(p.relative_to(folder).parts)
    }


def linked_pages(source: Path, cells: Sequence[Cell]) -> dict[str, bytes]:
    """The pages to play with that a handout links to, by name: `explore/tape.html` is the course's
    `docs/explore/tape.html`. Students get them beside the handout, so that a link leads there, and
    without the links that lead on: nothing else of the docs is with them.

    Raises `SourceError` for a link to a page that is not there.
    """
    found = {}
    for cell in cells:
        for link in () if cell.is_code else _PAGE.finditer(cell.source):
            page = source.parent.parent / "docs" / link[1]
            if not page.is_file():
                raise SourceError(
                    f"links to '{link[1]}', which is no page of docs/",
                    where=source,
                    line=cell.line + cell.source.count("\n", 0, link.start()),
                    remedy="correct the link, or make the page",
                )
            found[link[1]] = _LEADS_ON.sub(rb"\1", page.read_bytes())
    return found


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


def _fills_in(source: str) -> bool:
    """Whether a cell gives names to fill in, and its solution, the last part, only binds them."""
    given, begin, rest = source.partition("\n### BEGIN SOLUTION\n")
    solution, end, after = rest.partition("\n### END SOLUTION")
    if not begin or not end or after.strip():
        return False
    open_names, bound = _bound(given), _bound(solution)
    return bool(bound and open_names and bound <= open_names)


def _bound(source: str) -> set[str] | None:
    """The names that these lines bind, where they do nothing else."""
    try:
        lines = ast.parse(source).body
    except SyntaxError:
        return None
    targets = [t for line in lines if isinstance(line, ast.Assign) for t in line.targets]
    names = {t.id for t in targets if isinstance(t, ast.Name)}
    plain = all(isinstance(line, ast.Assign) for line in lines)
    return names if plain and len(names) == len(targets) else None


def student_source(source: str) -> str:
    """A cell as students get it: solutions become stubs, hidden tests disappear.

    Answers that the lines above a solution leave open (`CULPRIT = None`) are their own stub.
    """
    if _fills_in(source):
        return source[: source.index("### BEGIN SOLUTION")].strip("\n")
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


def task_of(cell: Cell, where: Path) -> int:
    """The number of the task a test cell belongs to, by its grade_id. Raises `SourceError`."""
    match = _CELL_TASK.match(cell.grade_id)
    if match is None:
        raise SourceError(
            f"test cell '{cell.grade_id}' names no task",
            where=where,
            line=cell.line,
            remedy="begin its grade_id with task<N>",
        )
    return int(match[1])


def master_path(source: Path, assignment: Assignment) -> Path:
    """The master of an assignment below its source folder."""
    return source / f"{assignment.module}.py"


def reference(source: Path, assignment: Assignment, kind: str) -> Program:
    """The reference solution as a submission of `kind` (`script` or `notebook`): no tests in it."""
    kept = [
        c for c in read_master(master_path(source, assignment)) if c.kind in ("shared", "solution")
    ]
    cells = tuple(solved_source(c.source) for c in kept)
    if kind == "notebook":
        return Program("notebook", f"{assignment.module}.ipynb", cells)
    return Program("script", f"{assignment.module}.py", ("\n\n\n".join(cells) + "\n",))
