"""A source's master: read its cells, and strip what is not for students.

A master is a percent-format script (jupytext). Its code cells are of four kinds, told by
their nbgrader metadata and tags:

    shared     no `nbgrader`                      the same for everybody
    solution   solution: true                     `### BEGIN/END SOLUTION` becomes a stub
    public     grade: true, tag "public"          students see and run it
    hidden     grade: true                        `### BEGIN/END HIDDEN TESTS` is cut out

Points are given where a check judges, and a public test does not judge: it is an example that
a student runs, and may fail on what costs no point (or write a progress bar to stderr, which
nbgrader takes for a failure). So in every notebook that we compile a public cell is worth
nothing, and the hidden cell behind it carries the points of both (`graded`). What it runs may
show a progress bar all the same: it does so on stderr, which a public cell therefore puts aside,
as `autograder.live.grade` does, so that `nbgrader validate` passes correct work.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from ..course.config import Assignment, CheckSpec
from ..errors import SourceError
from ..intake.repair import QUIET
from ..model import Visibility

_nbformat: Any = nbformat  # it ships no types for what we call
_MARK = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS)\s*$")
_NEARLY = re.compile(r"#+\s*(BEGIN|END)\b.*\b(SOLUTION|HIDDEN|TEST)", re.IGNORECASE)
_CELL_TASK = re.compile(r"^task_?(\d+)")
HIDDEN_NOTE = "# Hidden tests run here when your work is graded."
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
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


def quiet(source: str) -> str:
    """A public test with what it writes to stderr put aside; nothing it prints or raises is.

    No line of it is changed but for its indent, so it must hold no string over several lines.
    """
    lines = source.splitlines()
    top = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    body = "\n".join(lines[top:]).strip("\n")
    head = "".join(f"{line}\n" for line in lines[:top])
    return head + QUIET + textwrap.indent(body, "    ")


def as_notebook(
    name: str, cells: Sequence[Cell], source: Callable[[str], str], *, lock: bool = False
) -> str:
    """The cells as a notebook's text, format 4.5, the same bytes each time.

    `name` is the assignment's id, from which cell ids are made; `source` turns a cell's text
    into what is to stand there (`student_source` for students). With `lock` editors let nobody
    change or delete a test cell, as in what nbgrader releases.
    """
    book: Any = _nbformat.v4.new_notebook()
    book.nbformat_minor = 5
    book.metadata = _nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(cells):
        make = _nbformat.v4.new_code_cell if cell.is_code else _nbformat.v4.new_markdown_cell
        closed = lock and cell.kind in ("public", "hidden")
        flags = {"deletable": False, "editable": False} if closed else {}
        made = make(source(cell.source), metadata={**cell.metadata, **flags})
        key = f"{name}/{cell.grade_id or number}"
        made.id = hashlib.sha256(key.encode()).hexdigest()[:8]
        book.cells.append(made)
    _nbformat.validate(book)
    return str(_nbformat.writes(book)).rstrip("\n") + "\n"


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


def named_checks(cell: Cell, where: Path) -> tuple[str, ...]:
    """The check ids of a hidden cell's `grade("…")` calls, in order. Raises `SourceError`."""
    found: list[str] = []
    try:
        tree = ast.parse(solved_source(cell.source))
    except SyntaxError as e:
        line = cell.line + (e.lineno or 1)
        raise SourceError(f"is not Python: {e.msg}", where=where, line=line) from e
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "grade"):
            continue
        for argument in node.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise SourceError(
                    "grade() is called with something else than check ids",
                    where=where,
                    line=cell.line + argument.lineno,
                    remedy='write them out: grade("first", "second")',
                )
            found.append(argument.value)
    return tuple(found)


def hidden_test(checks: Sequence[str]) -> str:
    """The source of a hidden test cell that gives the points of `checks`, markers included."""
    call = f"grade({', '.join(repr(c) for c in checks)})".replace("'", '"')
    if len(call) > 99:
        rows = "".join(f'    "{c}",\n' for c in checks)
        call = f"grade(\n{rows})"
    return (
        "### BEGIN HIDDEN TESTS\nfrom autograder.live import grade\n\n"
        f"{call}\n### END HIDDEN TESTS\n{HIDDEN_NOTE}"
    )


def graded(cells: Sequence[Cell], assignment: Assignment, where: Path) -> tuple[Cell, ...]:
    """The cells as they are compiled: all points in hidden cells, each check in one of them, and
    public tests that are quiet.

    A task's first hidden cell takes its public checks on; a task that has none gets one, behind
    its last public cell. Raises `SourceError` where a check is named twice, or not at all, or
    in a cell of another task, or where a cell's points are not those of its checks.
    """
    specs = {c.id: c for c in assignment.checks}
    open_: dict[int, list[CheckSpec]] = {}
    for spec in assignment.checks:
        if spec.visibility is Visibility.PUBLIC:
            open_.setdefault(spec.task, []).append(spec)
    named: dict[str, int] = {}
    out: list[Cell] = []
    last_public: dict[int, int] = {}
    for cell in cells:
        if cell.kind == "public":
            last_public[task_of(cell, where)] = len(out)
            cell = _worth(replace(cell, source=quiet(cell.source)), 0.0)
        elif cell.kind == "hidden":
            task, ids = task_of(cell, where), named_checks(cell, where)
            _check_names(cell, task, ids, specs, named, where)
            extra = open_.pop(task, [])
            points = cell.points + sum(s.points for s in extra)
            cell = replace(_worth(cell, points), source=f"{cell.source}\n{HIDDEN_NOTE}")
            if extra:
                cell = replace(cell, source=hidden_test([s.id for s in extra] + list(ids)))
        out.append(cell)
    manual = {c.grade_id for c in cells if c.kind == "manual"}
    missing = [s.id for s in assignment.checks if s.visibility is Visibility.HIDDEN]
    missing = [i for i in missing if i not in named and i not in manual]
    if missing:
        what = f"no hidden cell names the check '{missing[0]}'"
        raise SourceError(what, where=where, remedy="add it to its task's grade()")
    for task, left in sorted(open_.items(), reverse=True):
        if task in last_public:
            out.insert(last_public[task] + 1, _own_cell(out[last_public[task]], left))
    return tuple(out)


def _check_names(
    cell: Cell,
    task: int,
    ids: Sequence[str],
    specs: dict[str, CheckSpec],
    named: dict[str, int],
    where: Path,
) -> None:
    """Each id is a hidden check of this task, named here alone; the points are theirs."""
    for name in ids:
        spec = specs.get(name)
        if spec is None or spec.task != task or spec.visibility is not Visibility.HIDDEN:
            what = f"'{name}' is no hidden check of task {task}"
        elif name in named:
            what = f"the check '{name}' is named in line {named[name]} already"
        else:
            named[name] = cell.line
            continue
        remedy = "make cell and assignment.yml agree"
        raise SourceError(what, where=where, line=cell.line, remedy=remedy)
    points = sum(specs[name].points for name in ids)
    if abs(points - cell.points) > 1e-9:
        raise SourceError(
            f"the cell '{cell.grade_id}' is worth {cell.points:g} points, its checks {points:g}",
            where=where,
            line=cell.line,
            remedy="make cell and assignment.yml agree",
        )


def _worth(cell: Cell, points: float) -> Cell:
    """The same cell for other points; whole numbers are written as such."""
    shown = int(points) if points == int(points) else points
    grading = {**cell.metadata["nbgrader"], "points": shown}
    return replace(cell, points=points, metadata={**cell.metadata, "nbgrader": grading})


def _own_cell(public: Cell, specs: Sequence[CheckSpec]) -> Cell:
    """A hidden cell for the checks behind a public cell that has no hidden one beside it."""
    name = f"{public.grade_id}-graded"
    grading = {**public.metadata["nbgrader"], "grade_id": name}
    cell = Cell("hidden", hidden_test([s.id for s in specs]), public.line, name)
    return _worth(replace(cell, metadata={"nbgrader": grading}), sum(s.points for s in specs))
