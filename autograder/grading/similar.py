"""Work that is nearly the same: the pairs of a class, as a page and a table for a person.

    OUT/similar/<assignment>.html    the pairs side by side, what they share marked
    OUT/similar/<assignment>.csv     the same as a table

Theory. Likeness is a reason to look and no verdict, so no score, no row and no student's page knows
of it. The class is taken in again from where it was graded, and works are compared by structure
(`intake.fingerprints`), without what the handout and its given files hold. Members of one group are
not compared: they hand in together. Work that is the same byte for byte needs no measure, and is
told at the end of each grading.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..course import config
from ..errors import InputError, SubmissionError
from ..intake.collect import UNTOUCHED
from ..intake.fingerprints import LISTED, Pair, Work, alike, runs
from ..intake.notebook import read_cells
from ..model import Submission
from ..report import pairs as page
from ..results import files, provenance, totals
from ..results.totals import Rows
from ..text import cell, clean
from .classes import again

FOLDER = "similar"
SHOWN = 40
"""As many pairs have their code on the page; the table holds them all."""
COLUMNS = (
    "assignment", "student", "other", "likeness", "share_of_student", "share_of_other",
    "fingerprints",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The pairs of one assignment, of how many works, and where page and table lie."""

    assignment: str
    works: int
    pairs: tuple[Pair, ...]
    page: Path
    table: Path


def examine(out: Path, root: Path, assignment: str | None = None) -> list[Found]:
    """Compare the works of each class in `out`, or of one assignment's; writes pages and tables.

    `root` is the course's folder. Raises `InputError` where `out` holds no class of it, or where
    its folder is gone.
    """
    course = config.course(root)
    record = provenance.read(out)
    ids = [i for i in course.assignments if i in record.assignments]
    if assignment is not None and assignment not in ids:
        raise InputError(
            f"holds no grades of '{clean(assignment)}'",
            where=out,
            remedy=f"one of: {', '.join(ids)}" if ids else "grade a class first",
        )
    rows = totals.rows(out, course)
    found = []
    for name in ids if assignment is None else [assignment]:
        class_ = again(name, record, root, course)
        if class_:
            found.append(_compare(out, root, name, class_, rows))
    if not found:
        raise InputError(
            "remembers no class", where=out, remedy="grade a whole class's folder into it"
        )
    return found


def _compare(
    out: Path, root: Path, assignment: str, class_: Sequence[Submission], rows: Rows
) -> Found:
    given = frozenset[int]()
    for path in sorted((root / "release" / assignment).rglob("*")):
        if path.suffix in (".py", ".ipynb") and path.is_file():
            given |= runs(_given(path))
    works = {s.student: Work.of(text_of(s)) for s in class_}
    groups = _groups(class_, rows)
    pairs = tuple(
        p
        for p in alike(works, given)
        if p.names[0] not in groups or groups[p.names[0]] != groups.get(p.names[1])
    )
    html, table = (out / FOLDER / f"{assignment}{suffix}" for suffix in (".html", ".csv"))
    files.write_whole(table, _table(assignment, pairs))
    shown = [_beside(p, works, given, code=i < SHOWN) for i, p in enumerate(pairs)]
    page.write(html, assignment, len(works), LISTED, shown)
    return Found(assignment, len(works), pairs, html, table)


def _beside(
    pair: Pair, works: Mapping[str, Work], given: Collection[int], *, code: bool
) -> page.Beside:
    one, other = (
        page.Side(name, share, works[name].pieces(pair.runs, given) if code else ())
        for name, share in zip(pair.names, pair.shares, strict=True)
    )
    return page.Beside((one, other), pair.likeness, pair.shared)


def text_of(submission: Submission) -> str:
    """All the code of a piece of work: the program, and the scripts beside it."""
    beside = [
        raw.decode("utf-8", "replace")
        for name, raw in sorted(submission.files.items())
        if name.endswith(".py") and name != submission.program.main
    ]
    return "\n\n".join([submission.program.text, *beside])


def _given(path: Path) -> str:
    """The code of a file of the handout."""
    try:
        if path.suffix == ".py":
            return path.read_text(encoding="utf-8", errors="replace")
        return "\n\n".join(c.text for c in read_cells(path.name, path.read_bytes())[0] if c.code)
    except (OSError, SubmissionError) as e:
        raise InputError(
            f"the release cannot be read: {e}", where=path, remedy="run: autograder release"
        ) from e


def _groups(class_: Sequence[Submission], rows: Rows) -> dict[str, str]:
    """The group of each student who hands in with others, by the roster or by the tool's word."""
    by_name = {(r.student, r.assignment): r for r in rows.results}
    found = {}
    for s in class_:
        row = by_name.get((s.student, s.assignment))
        group = row.person.get("group", "") if row is not None else ""
        if "group" in s.origin:
            group = f"{s.origin.get('tool')} {s.origin.get('file')}"
        if group:
            found[s.student] = group
    return found


def _table(assignment: str, pairs: Sequence[Pair]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for p in pairs:
        numbers = [f"{value:.2f}" for value in (p.likeness, *p.shares)]
        rows.writerow([assignment, *map(cell, p.names), *numbers, p.shared])
    return text.getvalue().encode()


def identical(class_: Sequence[Submission], rows: Rows) -> list[tuple[str, list[str]]]:
    """Who handed in the same bytes as others, by assignment: not what was handed out and left
    as it was, and not the members of one group.
    """
    by_bytes: dict[tuple[str, bytes], list[Submission]] = {}
    for s in class_:
        if UNTOUCHED not in s.attention:
            raw = s.files.get(s.program.main, b"")
            by_bytes.setdefault((s.assignment, raw), []).append(s)
    groups = _groups(class_, rows)
    found = []
    for (assignment, _), several in by_bytes.items():
        names = [s.student for s in several]
        one_group = names[0] in groups and len({groups.get(n) for n in names}) == 1
        if len(names) > 1 and not one_group:
            found.append((assignment, sorted(names)))
    return sorted(found)
