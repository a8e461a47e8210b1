"""A master's cells as the notebook that is compiled of them.

Points are given where a check judges, and a public test does not judge: it is an example that
a student runs, and may fail on what costs no point (or write a progress bar to stderr, which
nbgrader takes for a failure). So in every notebook that we compile a public cell is worth
nothing, and the hidden cell behind it carries the points of both (`graded`). What it runs may
show a progress bar all the same: it does so on stderr, which a public cell therefore puts aside,
as `autograder.live.grade` does, so that `nbgrader validate` passes correct work.

A notebook carries its pictures within it, since in Colab there is nothing beside it. Where
`source/<id>/img` has a picture as PNG too (`scripts/rasters.py`), its address in a text is
replaced by the PNG itself, as a `data:` address (RFC 2397).
"""

from __future__ import annotations

import ast
import base64
import hashlib
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat

from ..course.config import Assignment, CheckSpec
from ..errors import SourceError
from ..intake.repair import QUIET
from ..model import Visibility
from .master import Cell, solved_source, task_of

_nbformat: Any = nbformat  # it ships no types for what we call
HIDDEN_NOTE = "# Hidden tests run here when your work is graded."


def quiet(source: str) -> str:
    """A public test with what it writes to stderr put aside; nothing it prints or raises is.

    No line of it is changed but for its indent, so it must hold no string over several lines.
    """
    lines = source.splitlines()
    top = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    body = "\n".join(lines[top:]).strip("\n")
    head = "".join(f"{line}\n" for line in lines[:top])
    return head + QUIET + textwrap.indent(body, "    ")


def pictures_of(source: Path) -> dict[str, str]:
    """The pictures of a master's folder that can be embedded: by the address at which its texts
    look for each, the one by which a notebook has it within.
    """
    found: dict[str, str] = {}
    for png in sorted((source / "img").glob("*.png")):
        address = f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode('ascii')}"
        found |= {f"img/{png.stem}.svg": address, f"img/{png.name}": address}
    return found


def embedded(text: str, pictures: Mapping[str, str]) -> str:
    """A text of a notebook with its pictures within it."""
    for name, address in pictures.items():
        text = text.replace(f"]({name})", f"]({address})")
    return text


def as_notebook(
    name: str,
    cells: Sequence[Cell],
    source: Callable[[str], str],
    *,
    pictures: Mapping[str, str] = MappingProxyType({}),
    lock: bool = False,
) -> str:
    """The cells as a notebook's text, format 4.5, the same bytes each time.

    `name` is the assignment's id, from which cell ids are made; `source` turns a cell's text
    into what is to stand there (`student_source` for students); `pictures` are embedded in its
    texts. With `lock` editors let nobody change or delete a test cell, as in what nbgrader
    releases.
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
        text = source(cell.source) if cell.is_code else embedded(source(cell.source), pictures)
        made = make(text, metadata={**cell.metadata, **flags})
        key = f"{name}/{cell.grade_id or number}"
        made.id = hashlib.sha256(key.encode()).hexdigest()[:8]
        book.cells.append(made)
    _nbformat.validate(book)
    return str(_nbformat.writes(book)).rstrip("\n") + "\n"


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
