"""The way back: what every exporter is given, and the two kinds of file they all write.

    Export     grades of a class, to be written for another tool
    Package    an assignment, to be made into a grader for another tool
    archive    a zip archive whose bytes depend on its contents alone

Theory. Another tool's gradebook (`results.tables`) belongs to that tool: it is read as it stands,
only the cells that carry a grade are replaced, and every other cell goes back with the text it
came with. What we put into a cell has passed `text.cell`, so
that no spreadsheet runs it. A submission that could not be graded changes no cell.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..course.config import Course
from ..model import Result, Status, Visibility
from ..results.files import write_whole
from ..text import clean, number, points

COMMENT_CAP = 2_000
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
    said += [f"By a person: {a.words}." for a in result.adjusted]
    for c in result.checks:
        hidden = c.visibility is Visibility.HIDDEN
        closed = hidden and course.feedback.hidden == "none"
        title = "" if closed else f"{c.title}, "
        said += [f"{title}by a person: {a.words}." for a in c.adjusted]
        if closed or c.status in (Status.PASSED, Status.NOT_CHECKED):
            continue
        if c.adjusted and not c.message:
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
