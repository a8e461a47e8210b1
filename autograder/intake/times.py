"""When work was handed in, told apart from the work: a table of times, and nbgrader's own file.

    student,submitted_at,assignment
    1234,2026-10-13T00:20:00+02:00,
    jane doe_101,2026-10-12 23:58:00,04-training-loop

Canvas and Moodle pack submissions without their times, which the late policy needs. The columns
are those of `grades.csv`, in any order, others beside them; `assignment` may be empty or missing.
A student goes by the name in `grades.csv` or by the id of the tool the work came from.

nbgrader puts a `timestamp.txt` beside the work (`2026-03-01 12:00:00.5 UTC`). A time without an
offset is one of the course's time zone; where that is not stated it is taken for UTC's, and the
submission's notes say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from ..course.config import instant
from ..errors import InputError, SubmissionError
from ..model import Submission
from ..results.tables import read_table
from ..text import clean
from .tree import Folder

_STAMP = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?)"
    r"( ?(?P<offset>Z|[+-]\d\d:?\d\d)| (?P<zone>[A-Za-z]{2,5}))?",
    re.ASCII,
)


DAY = (
    r"(?:[A-Za-z]{3,9}\.? \d{1,2}|\d{1,2}\.? [A-Za-z]{3,9}\.?),? \d{4},? "
    r"\d{1,2}[:.]?\d\d(?: ?[AaPp]\.?[Mm]\.?)?"
)
"""A day and a minute as names of files spell them: Nov 26, 2025 933 PM; 26 November 2025 2133."""
_CLOCK = r"(?P<hour>\d{1,2}?)[:.]?(?P<minute>\d\d)(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
_SECONDS = r"(?P<hour>\d\d)[-:]?(?P<minute>\d\d)(?:[-:](?P<second>\d\d)(?:\.\d+)?)?(?P<utc>Z)?"
_DIGITS = r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)\d{0,6}(?P<utc>)"
_MONTH = r"(?P<month>[A-Za-z]{3})[a-z]*\.?"
_SPOKEN = (
    re.compile(rf"{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}),? {_CLOCK}", re.ASCII),
    re.compile(rf"(?P<day>\d{{1,2}})\.? {_MONTH},? (?P<year>\d{{4}}),? {_CLOCK}", re.ASCII),
    re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[- T]{_SECONDS}", re.ASCII),
    re.compile(rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d){_DIGITS}", re.ASCII),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
UNSTATED = "its time states no offset, and the course no timezone: it was taken for UTC's"


def stamp(folder: Folder, zone: tzinfo | None = None) -> str:
    """The time that nbgrader's `timestamp.txt` in a folder states, as ISO 8601; without an offset
    where neither it nor `zone`, the course's own, has one.

    "" where there is none, or none that can be read. A name of a zone is believed where it is
    UTC's, or one of the course's.
    """
    leaf = folder.files.get("timestamp.txt")
    if leaf is None or leaf.size > 200:
        return ""
    try:
        said = _STAMP.fullmatch(leaf.read(200).decode("utf-8", "replace").strip())
        if said is None:
            return ""
        if said["zone"] is None or said["zone"] in ("UTC", "GMT"):
            offset = said["offset"] or ("+00:00" if said["zone"] else "")
            return _read(said["time"] + offset.replace("Z", "+00:00"), zone)
        when = instant(said["time"], zone)
        return when.isoformat(timespec="seconds") if when.tzname() == said["zone"] else ""
    except (ValueError, SubmissionError):
        return ""


def spoken(text: str, zone: tzinfo | None) -> str:
    """A time as tools spell it in names of files, in ISO 8601: with its offset where it is UTC's
    (a `Z`, or fourteen digits and more in a row) or where `zone`, the course's own, is known.

    "" where it is none.
    """
    said = next(filter(None, (p.fullmatch(text.strip()) for p in _SPOKEN)), None)
    if said is None:
        return ""
    word = said.groupdict()
    month = word["month"].lower()
    hour = int(word["hour"])
    if word.get("half"):
        hour = hour % 12 + 12 * (word["half"] in "Pp") if 0 < hour < 13 else 99
    try:
        number = int(month) if month.isdecimal() else _MONTHS.index(month) + 1
        day = f"{word['year']}-{number:02}-{int(word['day']):02}"
        offset = "" if word.get("utc") is None else "+00:00"
        clock = f"{hour:02}:{word['minute']}:{word.get('second') or '00'}"
        return _read(f"{day}T{clock}{offset}", zone)
    except ValueError:
        return ""


def _read(text: str, zone: tzinfo | None) -> str:
    """A time in ISO 8601, with the offset of `zone` where it states none and there is a zone."""
    when = datetime.fromisoformat(text)
    if zone is not None or when.tzinfo is not None:
        when = instant(text, zone)
    return when.isoformat(timespec="seconds")


def settled(submission: Submission) -> Submission:
    """The submission with an offset to its time, and a note where that had to be supposed."""
    text = submission.submitted_at
    if not text or datetime.fromisoformat(text).tzinfo is not None:
        return submission
    notes = (*submission.notes, UNSTATED)
    return replace(submission, submitted_at=instant(text).isoformat(), notes=notes)


def timed(
    path: Path, found: Sequence[Submission], zone: tzinfo | None = None
) -> tuple[list[Submission], list[str]]:
    """The submissions with the times that the table at `path` states, and whom of the table none
    is by. Raises `InputError` with the line for a table or a time that cannot be read.
    """
    table = read_table(path)
    header = [c.strip().casefold() for c in table.rows[0]]
    if "student" not in header or "submitted_at" not in header:
        raise InputError(
            "has no columns student and submitted_at", where=path, line=1, remedy="name them so"
        )
    who, when = header.index("student"), header.index("submitted_at")
    what = header.index("assignment") if "assignment" in header else -1
    stated: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for i in range(1, len(table.rows)):
        student, text = table.cell(i, who).strip(), table.cell(i, when).strip()
        if not student or not text:
            continue
        try:
            moment = _read(text, zone)
        except ValueError as e:
            raise InputError(
                f"'{clean(text)[:40]}' is not a time",
                where=path,
                line=table.line(i),
                remedy="write it as 2026-03-01T23:59:00+01:00",
            ) from e
        stated[student.casefold(), table.cell(i, what).strip()] = moment
        names[student.casefold()] = student
    used: set[str] = set()
    now = []
    for s in found:
        called = [s.student.casefold(), str(s.origin.get("user", "")).casefold()]
        keys = [(name, of) for of in (s.assignment, "") for name in called if name]
        key = next((k for k in keys if k in stated), None)
        if key is not None:
            used.add(key[0])
            s = settled(replace(s, submitted_at=stated[key]))
        now.append(s)
    return now, [clean(names[name]) for name in names if name not in used]
