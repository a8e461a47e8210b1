"""nbgrader: a course folder it can work in, and our grades in its gradebook.

    build/nbgrader/source/<id>/<module>.ipynb   written here: solutions and hidden tests in it
    build/nbgrader/release/<id>/                by `nbgrader generate_assignment`
    submitted/  autograded/  feedback/          at the root of the course, as nbgrader has them

Sources lie apart from `source/`, because nbgrader copies every file beside a notebook to the
students, and the master with its solutions is such a file. `nbgrader_config.py` at the root
of the course names these folders and writes the source anew whenever its master changed.

Theory of the scores. A grade cell of the notebook names checks (`grade("…")`), so the points
of a cell are the sum of its checks' points, in nbgrader's own run and in ours. `export` puts
ours into the gradebook as automatic scores through nbgrader's `Gradebook`; a manual score wins
over them, as it does over nbgrader's own; a late penalty of the course's policy stands in
nbgrader's column for it, and cells that no check answers for (an essay) stay as
they are: still to be graded by hand, or graded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..authoring.master import Cell, given_files, linked_pages, read_master, task_of
from ..authoring.notebook import as_notebook, graded, named_checks, pictures_of
from ..course import config
from ..errors import InputError
from ..model import OPEN, Result, Status, total
from ..results.files import write_whole
from ..results.people import identity, rows_of
from ..results.tables import Table, find_row
from ..text import clean, slug
from .base import Export

DATABASE = "gradebook.db"
SOURCES = Path("build") / "nbgrader" / "source"


@dataclass(frozen=True)
class Cells:
    """The graded cells of one assignment's notebook, as nbgrader knows them."""

    module: str
    checks: Mapping[str, tuple[str, ...]]
    """grade_id -> the checks whose points it gives."""
    points: Mapping[str, float]
    manual: Mapping[str, float]
    """grade_id -> points of the cells that a person grades."""
    comments: Mapping[str, str]
    """grade_id -> the solution cell that nbgrader keeps comments on its task with."""


def _compiled(root: Path, name: str) -> tuple[config.Assignment, Path, tuple[Cell, ...]]:
    assignment = config.assignment(root / "assignments" / name / "assignment.yml")
    master = root / "source" / name / f"{assignment.module}.py"
    return assignment, master, graded(read_master(master), assignment, master)


def graded_cells(root: Path, name: str) -> Cells:
    """What each graded cell of an assignment stands for. Raises `SourceError`, `ConfigError`."""
    assignment, master, cells = _compiled(root, name)
    hidden = [c for c in cells if c.kind == "hidden"]
    commented: dict[str, str] = {}
    last = ""
    for cell in cells:
        if cell.kind == "solution":
            last = cell.grade_id
        elif cell.kind == "hidden" and last.startswith(f"task{task_of(cell, master)}-"):
            commented[cell.grade_id] = last
    return Cells(
        assignment.module,
        {c.grade_id: named_checks(c, master) for c in hidden},
        {c.grade_id: c.points for c in cells if c.kind in ("hidden", "public")},
        {c.grade_id: c.points for c in cells if c.kind == "manual"},
        commented,
    )


def write_source(root: Path, name: str, target: Path | None = None) -> Path:
    """Write one assignment's nbgrader source folder; returns the notebook's path.

    `root` is the course's folder. Pictures come along; the master does not, since nbgrader
    gives every file beside a notebook to the students.
    """
    assignment, master, cells = _compiled(root, name)
    folder = (target or root / SOURCES) / name
    folder.mkdir(parents=True, exist_ok=True)
    notebook = folder / f"{assignment.module}.ipynb"
    within = pictures_of(master.parent)
    write_whole(notebook, as_notebook(name, cells, str, pictures=within).encode())
    pictures = master.parent / "img"
    if pictures.is_dir():
        shutil.copytree(pictures, folder / "img", dirs_exist_ok=True)
    for beside, raw in {**given_files(master.parent), **linked_pages(master.parent, cells)}.items():
        write_whole(folder / beside, raw)
    return notebook


def refresh(root: Path) -> None:
    """Write the sources that are older than what they are made of. For nbgrader_config.py."""
    for name in config.course(root).assignments:
        settings = root / "assignments" / name / "assignment.yml"
        if not settings.is_file():
            continue
        module = config.assignment(settings).module
        made_of = [settings, root / "source" / name / f"{module}.py"]
        made_of += (root / "source" / name / "img").glob("*")
        made_of += (p for p in (root / "source" / name / "given").rglob("*") if p.is_file())
        notebook = root / SOURCES / name / f"{module}.ipynb"
        newest = max(p.stat().st_mtime for p in made_of)
        if not notebook.is_file() or notebook.stat().st_mtime < newest:
            write_source(root, name)


def export(order: Export) -> list[str]:
    """Write results into nbgrader's gradebook; returns what to tell whoever asked for it.

    The gradebook is `order.gradebook`, else the course's own gradebook.db, made where it is not
    there. Students go by nbgrader's id, address or name, in either order, or by the id that the
    gradebook keeps of another tool. Who is not in it is added under the name of a file or folder,
    and told; but a name that another tool made (`doejane_1234`) becomes no student beside the ones
    whom the gradebook has. What could not be graded is left as it was, and so is each score a
    person gave. Raises `InputError` where nbgrader is not installed or the file is not a gradebook.
    """
    try:
        from nbgrader.api import Gradebook
    except ImportError as e:
        raise InputError(
            "nbgrader is not installed", remedy="pip install 'five-beats[nbgrader]'"
        ) from e
    database = order.gradebook or order.root / DATABASE
    said: list[str] = []
    known: dict[str, Cells] = {}
    done = 0
    with _tools_of_this_environment(), warnings.catch_warnings():
        # nbgrader's own use of SQLAlchemy warns, which is nobody's business here
        warnings.simplefilter("ignore")
        try:
            opened = Gradebook(f"sqlite:///{database.resolve()}", course_id(order.root))
        except Exception as e:
            what = f"is not a gradebook: {clean(str(e))[:200]}"
            raise InputError(what, where=database, remedy="name nbgrader's gradebook.db") from e
        with opened as gradebook:
            people = _students(gradebook)
            graded_here = [r for r in order.results if r.status == "graded"]
            told_apart = {
                a: _who(people, [r for r in graded_here if r.assignment == a])
                for a in {r.assignment for r in graded_here}
            }
            new: dict[str, str] = {}
            for result in order.results:
                whose = f"{clean(result.student)} {result.assignment}".strip()
                if result.status != "graded" or not result.assignment:
                    order.missed.append(f"{whose}: not graded, so left as it was")
                    said.append(order.missed[-1])
                    continue
                ids, why = told_apart[result.assignment]
                unknown = why.get(result.student, "")
                student = ids.get(result.student) or new.get(identity(result))
                if student is None and (unknown or (people.rows and result.origin.get("tool"))):
                    told = unknown or "not in the gradebook (to add it: nbgrader db student add)"
                    order.missed.append(f"{whose}: {told}")
                    said.append(order.missed[-1])
                    continue
                if student is None:
                    student = new[identity(result)] = result.student
                    gradebook.update_or_create_student(student, **_person(result))
                    if people.rows or result.origin.get("tool"):
                        said.append(f"{clean(student)}: was not in the gradebook, and is now")
                if result.assignment not in known:
                    known[result.assignment] = graded_cells(order.root, result.assignment)
                    _declare(gradebook, result.assignment, known[result.assignment])
                _write(gradebook, result, known[result.assignment], student)
                done += 1
    return [*said, f"{database}: the scores of {done} submissions"]


def _students(gradebook: Any) -> Table:
    """The gradebook's students as rows: id, address, another tool's id, name."""
    rows = []
    for s in gradebook.students:
        name = ", ".join(part for part in (s.last_name, s.first_name) if part)
        rows.append([s.id, s.email or "", s.lms_user_id or "", name])
    return Table(rows)


def _who(people: Table, results: list[Result]) -> tuple[dict[str, str], dict[str, str]]:
    """The ids in the gradebook of the students in `results`, and why others have none ("" for those
    who fit nobody there).
    """
    rows = range(len(people.rows))
    found: dict[str, int] = {}
    for r in results:
        if r.origin.get("tool") == "canvas":
            row = find_row(people, rows, [2], [str(r.origin["user"])])
            if row is not None:
                found[r.student] = row
    others = [r for r in results if r.student not in found]
    more, why = rows_of(people, rows, [0, 1], [0, 3], others)
    for student, row in more.items():
        if row in found.values():
            why[student] = "fits a student whom another fits, too"
        else:
            found[student] = row
    return {student: people.rows[row][0] for student, row in found.items()}, why


def _person(result: Result) -> dict[str, str]:
    """What the roster says of a student, as nbgrader keeps it."""
    last, _, first = result.person.get("name", "").partition(",")
    named = {"last_name": last, "first_name": first, "email": result.person.get("email", "")}
    return {key: text.strip() for key, text in named.items() if text.strip()}


def course_id(root: Path) -> str:
    """The course's id in nbgrader, which `nbgrader_config.py` sets: its name as a slug."""
    return slug(config.course(root).course)


@contextlib.contextmanager
def _tools_of_this_environment() -> Iterator[None]:
    """For a new gradebook nbgrader calls `alembic`, which lies beside Python but perhaps not on
    the PATH.
    """
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), before))
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _declare(gradebook: Any, name: str, cells: Cells) -> None:
    """Assignment, notebook and cells, where `nbgrader generate_assignment` has not made them."""
    from nbgrader.api import MissingEntry

    try:
        gradebook.find_notebook(cells.module, name)
        return
    except MissingEntry:
        gradebook.update_or_create_assignment(name)
        gradebook.update_or_create_notebook(cells.module, name)
    for cell, points in cells.points.items():
        gradebook.update_or_create_grade_cell(
            cell, cells.module, name, max_score=points, cell_type="code"
        )
    for cell in set(cells.comments.values()):
        gradebook.update_or_create_solution_cell(cell, cells.module, name)
    for cell, points in cells.manual.items():
        gradebook.update_or_create_grade_cell(
            cell, cells.module, name, max_score=points, cell_type="markdown"
        )
        gradebook.update_or_create_solution_cell(cell, cells.module, name)


def _write(gradebook: Any, result: Result, cells: Cells, student: str) -> None:
    """One submission's scores. What a person gave or wrote stays as it is."""
    place = (cells.module, result.assignment, student)
    gradebook.update_or_create_student(student)
    when = _utc(result.submitted_at)
    stamp = {} if when is None else {"timestamp": when}
    gradebook.update_or_create_submission(result.assignment, student, **stamp)
    checks = {c.id: c for c in result.checks}
    for cell in cells.points:
        mine = [checks[i] for i in cells.checks.get(cell, ()) if i in checks]
        found = gradebook.find_grade(cell, *place)
        found.auto_score = round(sum(c.score for c in mine), 4)
        # A person looks again where one had scored the cell, or where this machine could not.
        deferred = any(c.status is Status.DEFERRED for c in mine)
        found.needs_manual_grade = found.manual_score is not None or deferred
        if cell in cells.comments:
            lost = [f"{c.title}: {c.message}" for c in mine if c.score < c.max_score and c.message]
            lost += [f"{c.title}, by a person: {a.words}" for c in mine for a in c.adjusted]
            comment = gradebook.find_comment(cells.comments[cell], *place)
            comment.auto_comment = "\n".join(lost) or None
    for cell in cells.manual:
        found = gradebook.find_grade(cell, *place)
        given = checks.get(cell)
        decided = given is not None and given.status not in OPEN
        if given is not None:
            # as an automatic score: what a person enters in nbgrader goes before it
            found.auto_score = given.score if decided else None
        found.needs_manual_grade = found.manual_score is None and not decided
    _settle(gradebook, result, cells, place)
    gradebook.db.commit()


def _settle(gradebook: Any, result: Result, cells: Cells, place: tuple[str, str, str]) -> None:
    """What there is between the sum of the checks and the score (lateness, a person's decision
    about the whole): nbgrader's column for a penalty, or more points in the last cell.
    """
    over = round(result.score - total(result.checks)[0], 4)
    last = next(reversed([*cells.manual, *cells.points]), None)
    if over > 0 and last is not None:
        own = {c.id: c.score for c in result.checks}
        there = sum(own.get(i, 0.0) for i in cells.checks.get(last, (last,)))
        found = gradebook.find_grade(last, *place)
        found.auto_score = round(there + over, 4)
        if last in cells.manual:
            found.needs_manual_grade = False
    gradebook.find_submission_notebook(*place).late_submission_penalty = max(-over, 0.0)


def _utc(stated: str) -> datetime | None:
    """Times as nbgrader keeps them, naive and in UTC; None where ours is unknown or unreadable."""
    if not stated:
        return None
    try:
        when = datetime.fromisoformat(stated)
    except ValueError:
        return None
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
