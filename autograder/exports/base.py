"""The way back: what every exporter is given, and the two kinds of file they all write.

    Export     grades of a class, to be written for another tool
    Package    an assignment, to be made into a grader for another tool
    archive    a zip archive whose bytes depend on its contents alone

Theory. Another tool's gradebook (`intake.tables`) belongs to that tool: it is read as it stands,
only the cells that carry a grade are replaced, and every other cell goes back with the text it
came with. What we put into a cell has passed `text.cell`, so
that no spreadsheet runs it. A submission that could not be graded changes no cell.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..course.config import Course
from ..intake.tables import Table
from ..model import Result, Status, Visibility
from ..results.files import write_whole
from ..text import cell as safe_cell
from ..text import clean, number, points

COMMENT_CAP = 2_000
_APOSTROPHES = "'`\u2019\u02bc"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time a zip archive can state; the same for every member we write."""


@dataclass(frozen=True)
class Export:
    """Grades on their way to another tool.

    `results` of the folder `out`, by student and assignment; `to` is the folder to write into;
    `gradebook` a file downloaded from the tool; `columns` names its columns by assignment id;
    `page` makes the feedback page of one result (HTML, UTF-8).
    """

    out: Path
    to: Path
    results: tuple[Result, ...]
    course: Course
    root: Path
    page: Callable[[Result], bytes]
    gradebook: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    """Filled by the exporter: the lines, of those it returns, on what did not get to the tool."""

    def miss(self, result: Result, why: str) -> str:
        """Note that a result did not get to the tool; returns the line that says so."""
        whose = f"{result.assignment}: " if result.assignment else ""
        self.missed.append(f"{whose}{clean(result.student)}: {why}")
        return self.missed[-1]

    def ids(self) -> list[str]:
        """The assignments among the results, in the course's order."""
        here = {r.assignment for r in self.results if r.assignment}
        order = [i for i in self.course.assignments if i in here]
        return order + sorted(here - set(order))

    def of(self, assignment: str) -> list[Result]:
        """The results of one assignment."""
        return [r for r in self.results if r.assignment == assignment]


@dataclass(frozen=True)
class Package:
    """An assignment of the course at `root`; `to` is what to write, None for the usual place."""

    root: Path
    assignment: str
    to: Path | None = None


def rows_of(
    table: Table,
    rows: Sequence[int],
    columns: Sequence[int],
    named: Sequence[int],
    results: Iterable[Result],
) -> tuple[dict[str, int], dict[str, str]]:
    """The row of each student whom one row fits and no other student, and of each other why not.

    `columns` hold ids, logins and addresses, which are compared as they are; those of `named` hold
    names, which people write in either order: `Andersson, Alice` is `alice_andersson`. A row is
    believed only where exactly one fits: a wrong grade is worse than none.
    """
    fits: dict[str, set[int]] = {}
    for r in results:
        wanted = {
            text.strip().casefold() for text in (r.student, safe_cell(r.student), *_ids(r))
        } - {""}
        found = {i for c in columns for i in rows if table.cell(i, c).strip().casefold() in wanted}
        if not found:
            called = spellings(_name(r))
            found = {i for c in named for i in rows if called & spellings(table.cell(i, c))}
        fits[r.student] = found
    taken = [i for found in fits.values() if len(found) == 1 for i in found]
    why = {}
    for student, found in fits.items():
        if len(found) > 1:
            why[student] = f"fits {len(found)} rows"
        elif not found:
            why[student] = ""
        elif taken.count(next(iter(found))) > 1:
            why[student] = "fits a row that another student fits, too"
    return {s: next(iter(found)) for s, found in fits.items() if s not in why}, why


def _ids(r: Result) -> list[str]:
    """What else a student is known by: addresses, and the school's id that Gradescope keeps."""
    ids = [str(mail) for mail in r.origin.get("emails", [])]
    return [*ids, str(r.origin.get("user", ""))] if r.origin.get("tool") == "gradescope" else ids


def _name(r: Result) -> str:
    """A student's name, without the number that a tool put behind it."""
    if r.origin.get("name"):
        return str(r.origin["name"])
    user = str(r.origin.get("user", ""))
    return r.student.removesuffix(f"_{user}") if user else r.student


def spellings(name: str) -> frozenset[tuple[str, ...]]:
    """A name's words in any order, without marks and capitals; and run together in either order,
    as logins are, where there are several. None for a name without letters.
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(ch for ch in plain if not unicodedata.combining(ch) and ch not in _APOSTROPHES)
    words = re.findall(r"[^\W_]+", plain)
    if not any(word.isalpha() for word in words):
        return frozenset()
    found = {tuple(sorted(words))}
    last, _, first = plain.partition(",")
    for order in (plain, f"{first} {last}"):
        found.add(("".join(re.findall(r"[^\W_]+", order)),))
    return frozenset(found)


def scaled(result: Result, possible: str) -> str:
    """The score as a cell of a sheet whose full mark is `possible`, with that cell's decimal mark;
    as it is where the sheet states no number.
    """
    comma = "," in possible and "." not in possible
    try:
        full = float(possible.replace(",", ".") if comma else possible.replace(",", ""))
    except ValueError:
        full = 0.0
    share = result.score / result.max_score if result.max_score > 0 else 0.0
    text = number(share * full if full > 0 else result.score)
    return text.replace(".", ",") if comma else text


def comment(result: Result, course: Course) -> str:
    """A line for the student: points, lateness, and what was seen, as far as `feedback.hidden`
    lets a student see it.
    """
    said = [f"{points(result.score)} of {points(result.max_score)} points."]
    if result.late is not None and result.late.message:
        said.append(f"Late: {result.late.message}.")
    for c in result.checks:
        hidden = c.visibility is Visibility.HIDDEN
        if c.status in (Status.PASSED, Status.NOT_CHECKED) or (
            hidden and course.feedback.hidden == "none"
        ):
            continue
        tells = c.message and not (hidden and course.feedback.hidden == "title")
        said.append(f"{c.title}: {c.message or c.status}." if tells else f"{c.title}.")
    text = clean(" ".join(said))
    return text if len(text) <= COMMENT_CAP else text[: COMMENT_CAP - 1] + "…"


def archive(
    path: Path, members: Mapping[str, bytes], modes: Mapping[str, int] | None = None
) -> None:
    """Write a zip archive, in the order of the names; the same members give the same bytes.

    `modes` are permissions by name; 0o644 where none is stated.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, whose permissions the upper half of the next holds
            info.external_attr = (0o100000 | (modes or {}).get(name, 0o644)) << 16
            made.writestr(info, members[name])
    write_whole(path, out.getvalue())
