"""Canvas: its gradebook CSV with the grades in it, and a zip of feedback.

Theory. A gradebook downloaded from Canvas is matched by ID, SIS User ID or login and only the cells
of the assignment change. Feedback keeps the name that a file was downloaded under (`intake.canvas`)
with `.html` behind it: Canvas hands a file to whomever the first two numbers name, and shows it
under the name of the student's own file.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from ..course import config
from ..errors import InputError
from ..intake.canvas import parse
from ..model import Result
from ..results.people import identity, rows_of
from ..results.tables import Table, find_row, read_table
from ..text import cell, clean, number
from .base import Export, archive, scaled

_COLUMN = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")
IDENTITY = ("id", "sis user id", "sis login id", "login id", "integration id", "student")
FIXED = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POSSIBLE = "    Points Possible"


def export(order: Export) -> list[str]:
    """Write `gradebook.csv` and a zip of feedback for each assignment; returns what to print.

    Raises `InputError` for a gradebook that is none, or in which no column fits.
    """
    table = _fresh(order) if order.gradebook is None else read_table(order.gradebook)
    said = []
    if order.gradebook is not None:
        head = _header(table, order.gradebook)
        for assignment in order.ids():
            column = _column(table.rows[head], assignment, order)
            said += _fill(table, head, column, order.of(assignment), assignment, order)
    else:
        for assignment in order.ids():
            made = sum(r.scored for r in order.of(assignment))
            said.append(f"{assignment}: {made} grades, in a gradebook made anew")
            said += [
                order.miss(r, "could not be graded, and so has no grade in the new gradebook")
                for r in order.of(assignment)
                if not r.scored
            ]
    path = order.to / "gradebook.csv"
    table.write(path)
    said.append(f"gradebook: {path}")
    for assignment in order.ids():
        pages = {
            _feedback_name(r): order.page(r)
            for r in order.of(assignment)
            if r.origin.get("tool") == "canvas" and _uploaded(str(r.origin["file"]))
        }
        if pages:
            path = order.to / f"{assignment}-feedback.zip"
            archive(path, pages)
            said.append(f"feedback: {path} ({len(pages)} pages)")
    return said


def _uploaded(name: str) -> bool:
    """Whether Canvas will take feedback for this file: it needs an attachment to belong to."""
    said = parse(name)
    return said is not None and said["file"] is not None


def _feedback_name(result: Result) -> str:
    return PurePath(str(result.origin["file"])).name + ".html"


def _title(order: Export, assignment: str) -> str:
    path = order.root / "assignments" / assignment / "assignment.yml"
    return config.assignment(path).title if path.is_file() else assignment


def _fresh(order: Export) -> Table:
    """A gradebook of our own, in which each assignment is a new column to Canvas."""
    ids = order.ids()
    titles = [order.columns.get(i) or _title(order, i) for i in ids]
    rows = [[*FIXED, *titles]]
    most = [max(r.max_score for r in order.of(i)) for i in ids]
    rows.append([POSSIBLE, "", "", "", "", *map(number, most)])
    graded = [r for r in order.results if r.scored]
    for one in dict.fromkeys(map(identity, graded)):
        own = {r.assignment: r for r in graded if identity(r) == one}
        first = next(iter(own.values()))
        first = next((r for r in own.values() if r.origin.get("tool") == "canvas"), first)
        origin, person, student = first.origin, first.person, first.student
        from_canvas = origin.get("tool") == "canvas"
        user, login = (str(origin["user"]), "") if from_canvas else ("", student)
        name = person.get("name") or student
        if person:
            login = person["email"] or login
        sis, section = person.get("student_id", ""), person.get("section", "")
        scores = [number(own[i].score) if i in own else "" for i in ids]
        rows.append([*map(cell, (name, user, sis, login, section)), *scores])
    return Table(rows)


def _header(table: Table, path: Path | None) -> int:
    """The index of the row that names the columns."""
    for i, row in enumerate(table.rows[:5]):
        names = {c.strip().lower() for c in row}
        if "student" in names and names & set(IDENTITY[:4]):
            return i
    raise InputError(
        "has no row with the columns Student and ID",
        where=path,
        remedy="in Canvas: Grades, Export, Export Entire Gradebook",
    )


def _column(header: list[str], assignment: str, order: Export) -> int:
    """Which column is the assignment's: what `--column` says, else the one of its id (with its
    number or without) or of its title. Raises `InputError` where not exactly one is.
    """
    wanted = order.columns.get(assignment)
    bare = assignment.lstrip("0123456789-_")  # `training-loop`, which a title may well hold
    names = [wanted] if wanted else [assignment, bare, _title(order, assignment)]
    parts = [(i, c, _COLUMN.fullmatch(c)) for i, c in enumerate(header) if c not in FIXED]
    for fits in (_same, _within):
        found = [
            i
            for i, text, m in parts
            if any(n == text or (m and (n == m["id"] or fits(n, m["title"]))) for n in names)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            break
    shown = ", ".join(f"'{clean(c)}'" for _, c, m in parts if m) or "none"
    what = "several columns fit" if found else "no column fits"
    raise InputError(
        f"{what} {assignment}; its assignments are: {shown}",
        where=order.gradebook,
        remedy=f"say it with --column '{assignment}=Title (123)'",
    )


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))


def _same(name: str, title: str) -> bool:
    return _words(name) == _words(title)


def _within(name: str, title: str) -> bool:
    return f" {_words(name)} " in f" {_words(title)} "


def _fill(
    table: Table, head: int, column: int, results: list[Result], assignment: str, order: Export
) -> list[str]:
    """Put the grades of one assignment into its column; returns what to print."""
    header = [c.strip().lower() for c in table.rows[head]]
    identity = [header.index(name) for name in IDENTITY if name in header]
    own_id = [header.index("id")] if "id" in header else []
    possible = ""
    rows = []
    for i in range(head + 1, len(table.rows)):
        if table.cell(i, 0).strip().lower() == "points possible":
            possible = table.cell(i, column)
        elif any(table.cell(i, c).strip() for c in identity[:4]):
            rows.append(i)
    ours = [r for r in results if r.origin.get("tool") == "canvas"]
    # an id of Canvas is compared with ids alone: somebody else's login may look like it
    places = {r.student: find_row(table, rows, own_id, [str(r.origin["user"])]) for r in ours}
    names = [header.index("student")] if "student" in header else []
    others = [r for r in results if r not in ours]
    found, why = rows_of(table, rows, [c for c in identity if c not in names], names, others)
    for student, place in found.items():
        if place in places.values():
            why[student] = "fits a row that another student fits, too"
        else:
            places[student] = place
    written, missed = 0, []
    for r in results:
        row = places.get(r.student)
        if row is None:
            missed.append(order.miss(r, why.get(r.student) or "not in the gradebook"))
        elif not r.scored:
            missed.append(order.miss(r, "could not be graded; the cell is as it was"))
        else:
            table.put(row, column, scaled(r, possible))
            written += 1
    return [f"{assignment}: {written} grades", *missed]
