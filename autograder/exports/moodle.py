"""Moodle: its grading worksheet with the grades in it, and a zip of feedback.

Theory. The number of a participant is the identity, in a file's name (`intake.layouts`) as in the
worksheet's first column (`Participant 12345`, in the site's language).

The worksheet is localised from its headers to its decimals, so it is never built here but taken as
Moodle wrote it: known words, and where those fail the shape of the sheet, tell its columns; only
Grade and Feedback comments change.
Last modified (grade) stays as it is, for by it Moodle finds out that somebody has graded there
meanwhile, and refuses the row. A comment is a paragraph marked as ours: one that a person wrote
stays beside it, and a second export replaces the first.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError
from ..model import Result
from ..results.people import rows_of
from ..results.tables import Table, read_table
from ..text import cell, clean
from .base import Export, archive, comment, scaled

WORDS: Mapping[str, frozenset[str]] = {
    "identifier": frozenset(
        ("identifier", "id", "identifikator", "identifiant", "identificador", "identificatore")
    )
    | {"identificativo", "identificatie", "identyfikator"},
    "grade": frozenset(
        ("grade", "bewertung", "note", "calificación", "valutazione", "nota", "cijfer", "ocena")
    )
    | {"avaliação", "betyg", "karakter", "karakteri", "оценка"},
    "maximum": frozenset(
        ("maximum grade", "bestwertung", "beste bewertung", "note maximale", "nota máxima")
    )
    | {"calificación máxima", "valutazione massima", "maximumcijfer", "ocena maksymalna"},
    "comments": frozenset(
        ("feedback comments", "feedback als kommentar", "feedback par commentaires")
    )
    | {"comentarios de retroalimentación", "commenti di feedback", "comentários de feedback"},
    "group": frozenset(("group", "gruppe", "groupe", "grupo", "gruppo", "groep", "grupa")),
}
"""What Moodle's language packs call the columns that matter, in lower case."""
_NUMBERED = re.compile(r"[^0-9]*([0-9]{1,20})\s*")
_OURS = re.compile(r"<p>Five Beats: .*?</p>", re.DOTALL)


def export(order: Export) -> list[str]:
    """Write the worksheet with its grades, and a zip of feedback; returns what to print.

    Raises `InputError` where there is no worksheet, or it cannot be read, or `order` holds
    several assignments (a worksheet is of one).
    """
    if order.gradebook is None:
        raise InputError(
            "Moodle takes grades in its own worksheet only",
            remedy="in Moodle: Submissions, Download grading worksheet; then --gradebook FILE",
        )
    if len(order.ids()) != 1:
        raise InputError(
            f"a worksheet is of one assignment, and here are {', '.join(order.ids())}",
            where=order.out,
            remedy="say which, with -a",
        )
    (assignment,) = order.ids()
    table = read_table(order.gradebook)
    columns = _columns(table, order.gradebook, order.columns.get(assignment))
    said = _fill(table, columns, order, order.of(assignment))
    path = order.to / f"{assignment}-worksheet.csv"
    table.write(path)
    said.append(f"worksheet: {path}")
    pages = {
        f"{r.origin['file']}_feedback.html": order.page(r)
        for r in order.of(assignment)
        if r.origin.get("tool") == "moodle"
    }
    if pages:
        path = order.to / f"{assignment}-feedback.zip"
        archive(path, pages)
        said.append(f"feedback: {path} ({len(pages)} pages)")
    return said


def _columns(table: Table, path: Path, stated: str | None) -> dict[str, int]:
    """The columns by the keys of `WORDS`, as far as they are there; identifier, grade and maximum
    always are. `stated` names the grade's column.
    """
    header = [c.strip().casefold() for c in table.rows[0]]
    found = {
        key: header.index(name)
        for key, names in WORDS.items()
        if (name := next((h for h in header if h in names), None)) is not None
    }
    if stated is not None:
        if stated.strip().casefold() not in header:
            raise InputError(
                f"has no column '{clean(stated)}'", where=path, remedy="check --column"
            )
        found["grade"] = header.index(stated.strip().casefold())
    body = range(1, len(table.rows))
    if "identifier" not in found and all(_NUMBERED.fullmatch(table.cell(i, 0)) for i in body):
        found["identifier"] = 0  # always first, and each cell ends in a number
    if "grade" not in found and found.get("maximum", 0) > 0:
        found["grade"] = found["maximum"] - 1  # the two stand side by side
    if "maximum" not in found and "grade" in found:
        found["maximum"] = found["grade"] + 1
    if "identifier" not in found or "grade" not in found:
        lacks = "a column of identifiers" if "identifier" not in found else "a column of grades"
        raise InputError(
            f"is no grading worksheet: it has not {lacks} that we know "
            f"(its columns: {', '.join(clean(h) for h in table.rows[0])})",
            where=path,
            remedy="download it from Moodle again, or name the grades' column: --column ID=HEADER",
        )
    return found


def _fill(
    table: Table, columns: Mapping[str, int], order: Export, results: Iterable[Result]
) -> list[str]:
    """Put grades and comments into the sheet; returns what to print."""
    body = [i for i, row in enumerate(table.rows) if i and any(row)]
    results = list(results)
    others = [r for r in results if r.origin.get("tool") != "moodle"]
    told = range(columns["grade"])
    found, why = rows_of(table, body, told, told[1:], others)
    written, replaced, missed = 0, 0, []
    for r in results:
        if r.origin.get("tool") == "moodle":
            rows = _rows_of(table, body, columns, r)
        else:
            rows = [found[r.student]] if r.student in found else []
        if not rows:
            missed.append(order.miss(r, why.get(r.student) or "not in the worksheet"))
        elif not r.scored:
            missed.append(order.miss(r, "could not be graded; the row is as it was"))
        else:
            for row in rows:
                grade = scaled(r, table.cell(row, columns["maximum"]))
                before = table.cell(row, columns["grade"]).strip()
                replaced += before not in ("", "-") and _value(before) != _value(grade)
                table.put(row, columns["grade"], grade)
                if "comments" in columns:
                    said = _commented(table.cell(row, columns["comments"]), r, order)
                    table.put(row, columns["comments"], said)
            written += len(rows)
    said_lines = [f"{written} grades"]
    if replaced:
        said_lines.append(f"{replaced} of them replace another grade that stood there")
    if "comments" not in columns:
        said_lines.append("the sheet has no column of feedback comments; none were written")
    return [*said_lines, *missed]


def _value(text: str) -> float | None:
    try:
        return round(float(text.replace(",", ".")), 4)
    except ValueError:
        return None


def _rows_of(table: Table, body: list[int], columns: Mapping[str, int], r: Result) -> list[int]:
    """The rows of a student whom Moodle names, or of every member of a group."""
    if "group" in columns:
        name = str(r.origin.get("name", "")).casefold()
        rows = [i for i in body if table.cell(i, columns["group"]).casefold() == name]
        if rows:
            return rows
    return [
        i
        for i in body
        if (m := _NUMBERED.fullmatch(table.cell(i, columns["identifier"])))
        and int(m[1]) == int(str(r.origin["user"]))
    ][:1]


def _commented(before: str, r: Result, order: Export) -> str:
    """The cell of comments with ours in it: Moodle takes it for HTML."""
    ours = f"<p>Five Beats: {html.escape(comment(r, order.course))}</p>"
    kept = _OURS.sub("", before).strip()
    return kept + ours if kept else cell(ours)
