"""Canvas: its submissions zip in, its gradebook CSV and a zip of feedback out.

    doejane_1234_5678_training_loop.ipynb          name, user, attachment, original name
    doejane_LATE_1234_5678_training_loop-2.ipynb   late; the third upload under that name
    anon_x1Yz9_5678_training_loop.py               anonymous grading; LATE_ may stand in front
    doejane_1234_text.html                         typed or linked, not uploaded

Theory. Canvas flattens everything into one folder of long names; the numbers in them are the
identity, the name is decoration. So files are gathered by user, get their original names back
(a program imports `helper`, not `doejane_1234_5678_helper-1`), and of several uploads under one
name the newest counts. On the way back a gradebook downloaded from Canvas is matched by ID, SIS
User ID or login and only the cells of the assignment change. Feedback keeps the downloaded name
with `.html` behind it: Canvas hands a file to whomever the first two numbers name, and shows it
under the name of the student's own file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePath

from ..course import config
from ..errors import InputError
from ..intake.program import is_program, of_the_class
from ..intake.tree import NAME_CAP, Folder, Handed, Leaf, is_archive
from ..model import Result
from ..text import cell, clean, number
from .base import Export, Table, archive, find_row, read_table, rows_of, scaled

_REST = (
    r"((?P<attachment>[0-9]{1,20})_(?P<file>.+)|(?P<typed>(text|link|question_[0-9]+.*)\.html?))"
)
_NAMED = re.compile(
    r"(?P<name>.+?)(?P<late>[ _-]+late)?_(?P<user>[0-9]{1,20})_" + _REST, re.IGNORECASE
)
_ANONYMOUS = re.compile(
    r"(?P<late>late_)?(?P<name>anon)_(?P<user>[a-z0-9]{1,40})_" + _REST, re.IGNORECASE
)
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<n>[1-9]\d{0,2})(?P<suffix>(\.\w+){1,2})")
_COLUMN = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")
IDENTITY = ("id", "sis user id", "sis login id", "login id", "integration id", "student")
FIXED = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POSSIBLE = "    Points Possible"


def parse(name: str) -> re.Match[str] | None:
    """What a name out of Canvas's zip says, None for any other name."""
    if len(name) > NAME_CAP:
        return None
    return _ANONYMOUS.fullmatch(name) or _NAMED.fullmatch(name)


def gather(tree: Folder) -> tuple[list[Handed], Folder]:
    """The students of a flat folder of Canvas's names, each with the files under their own names,
    and the tree without them. Where no more than half of the files are so named, there are none.
    """
    by_user: dict[str, list[tuple[re.Match[str], Leaf]]] = {}
    rest = Folder(tree.name, tree.folders, {}, tree.notes, tree.odd)
    for name, leaf in tree.files.items():
        said = parse(name)
        if said is None:
            rest.files[name] = leaf
        else:
            by_user.setdefault(said["user"], []).append((said, leaf))
    others = sum(not of_the_class(leaf.name) for leaf in rest.files.values())
    if len(tree.files) - len(rest.files) <= others:
        return [], tree
    return [_student(own) for own in by_user.values()], rest


def _student(own: list[tuple[re.Match[str], Leaf]]) -> Handed:
    said = own[0][0]
    student = f"{said['name']}_{said['user']}"
    folder = Folder(student)
    uploads = [(m, leaf) for m, leaf in own if m["file"] is not None]
    newest: dict[str, tuple[int, int, str, Leaf]] = {}
    for m, leaf in uploads:
        name, n = m["file"], 0
        again = _AGAIN.fullmatch(name)
        if again is not None and _runs(again["suffix"]):
            name, n = again["stem"] + again["suffix"], int(again["n"])
        found = (n, int(m["attachment"]), m["file"], leaf)
        older = newest.get(name)
        if older is not None:
            found, older = max(found, older, key=_age), min(found, older, key=_age)
            folder.notes.append(f"{clean(older[2])} (uploaded again as {clean(found[2])})")
        newest[name] = found
    for name, (_, attachment, _, leaf) in newest.items():
        # Canvas keeps no times, but numbers what it is given as it comes
        folder.files[name] = replace(leaf, name=name, upload=attachment)
    for m, leaf in uploads:  # data that a program opens may have been numbered by its author
        again = _AGAIN.fullmatch(m["file"])
        if again is not None and not _runs(again["suffix"]):
            plain = again["stem"] + again["suffix"]
            folder.files.setdefault(plain, replace(leaf, name=plain))
    latest = max(newest.values(), key=lambda u: (_runs(u[2]), *_age(u)), default=None)
    origin = {
        "tool": "canvas",
        "user": said["user"] if said["name"].lower() != "anon" else student,
        "file": (latest[3] if latest else own[0][1]).name,
        "late": any(m["late"] for m, _ in own),
    }
    why = "" if uploads else "was typed in or linked in Canvas, not uploaded as a file"
    return Handed(student, folder, origin, why)


def _runs(name: str) -> bool:
    """Whether a file of this name is work that can be graded, and not data of the student's own."""
    return is_program(f"x{name}") or is_archive(f"x{name}")


def _age(upload: tuple[int, int, str, Leaf]) -> tuple[int, int]:
    return upload[:2]


# -- the way back --------------------------------------------------------------------------------


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
            made = sum(r.status == "graded" for r in order.of(assignment))
            said.append(f"{assignment}: {made} grades, in a gradebook made anew")
            said += [
                order.miss(r, "could not be graded, and so has no grade in the new gradebook")
                for r in order.of(assignment)
                if r.status != "graded"
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
    graded = [r for r in order.results if r.status == "graded"]
    for student in dict.fromkeys(r.student for r in graded):
        own = {r.assignment: r for r in graded if r.student == student}
        origin = next(iter(own.values())).origin
        from_canvas = origin.get("tool") == "canvas"
        user, login = (str(origin["user"]), "") if from_canvas else ("", student)
        scores = [number(own[i].score) if i in own else "" for i in ids]
        rows.append([cell(student), cell(user), "", cell(login), "", *scores])
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
        elif r.status != "graded":
            missed.append(order.miss(r, "could not be graded; the cell is as it was"))
        else:
            table.put(row, column, scaled(r, possible))
            written += 1
    return [f"{assignment}: {written} grades", *missed]
