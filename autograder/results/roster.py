"""Who is in the course: roster.csv, and the copy of it that OUT keeps.

    student_id,name,email,section,group
    s1001,"Andersson, Alice",alice@uni.edu,A,team 1

Only `student_id` must be there; the columns may stand in any order, and further ones are kept.
`last_name` and `first_name` may stand for `name`.
`canvas_id`, `moodle_id`, `brightspace_id`, `github_id` and the like (`TOOLS`) among these are the
numbers or logins by which those tools know somebody.

Theory. The file comes from a registrar by way of a spreadsheet, so nothing in it is believed before
it was looked at: whatever could give one student's grade to another (an id that stands twice, one
that a spreadsheet has rounded) is refused with its line and column. OUT/roster.csv is the newest
roster, byte for byte, so that every later command knows the same people, and a roster that is
replaced is one file that is replaced.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..course.config import did_you_mean
from ..errors import InputError
from ..model import Result
from ..text import clean
from .files import write_whole
from .people import fits_of, told_apart
from .tables import Table, find_row, read_table

NAME = "roster.csv"
COLUMNS = ("student_id", "name", "email", "section", "group")
TOOLS = ("canvas", "moodle", "gradescope", "brightspace", "blackboard", "sakai", "github")
"""Tools that know a student by a number or a login, which a column of theirs may state."""
CELL_CAP = 200
"""Characters of a cell; a name has a few dozen."""
NEAR = 0.75
"""How near a name must be to be asked about: one or two letters of ten."""
_LOOKALIKES = str.maketrans("oli", "011")
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")

Person = Mapping[str, str]
"""Somebody on the roster, by column; of `COLUMNS` each is there, "" where nothing is stated."""


@dataclass(frozen=True)
class Roster:
    """The people of a course, in the order of the file."""

    people: tuple[Person, ...]
    source: bytes = field(default=b"", repr=False)
    """The file as it came."""

    @property
    def sections(self) -> list[str]:
        """The sections there are, in order."""
        return sorted({p["section"] for p in self.people} - {""})

    @cached_property
    def groups(self) -> dict[str, list[Person]]:
        """The groups of several people, by name."""
        found: dict[str, list[Person]] = {}
        for p in self.people:
            if p["group"]:
                found.setdefault(p["group"], []).append(p)
        return {name: members for name, members in found.items() if len(members) > 1}

    @cached_property
    def _table(self) -> Table:
        """Ids, addresses, and their first parts, as logins are, where these are one person's."""
        logins = Counter(_login(p) for p in self.people)
        return Table(
            [
                [
                    p["student_id"],
                    p["email"],
                    _login(p) if logins[_login(p)] == 1 else "",
                    p["name"],
                    *(p.get(f"{tool}_id", "") for tool in TOOLS),
                ]
                for p in self.people
            ]
        )

    def match(self, results: Sequence[Result]) -> Matched:
        """Whose work these results of one assignment are."""
        rows = range(len(self.people))
        fits: dict[str, set[int]] = {}
        tools = {tool: 4 + i for i, tool in enumerate(TOOLS)}
        for r in results:
            column = tools.get(str(r.origin.get("tool")))
            user = str(r.origin.get("user", ""))
            row = find_row(self._table, rows, [column], [user]) if column and user else None
            if row is not None:
                fits[r.student] = {row}
        others = [r for r in results if r.student not in fits]
        fits |= fits_of(self._table, rows, range(3), [3], others)
        found, why = told_apart(fits)
        maybe = {i for student in why for i in fits[student]}
        unknown = {}
        for student, reason in why.items():
            near = None if fits[student] else self.nearest(student)
            if near is not None:
                maybe.add(near)
            unknown[student] = f"is not on the roster{self._asked(near)}"
            if reason:
                ids = ", ".join(self.people[i]["student_id"] for i in sorted(fits[student]))
                unknown[student] = f"cannot be told on the roster: {reason} ({ids})"
        return Matched(
            {student: self.people[row] for student, row in found.items()},
            unknown,
            frozenset(self.people[i]["student_id"] for i in maybe),
        )

    def nearest(self, name: str) -> int | None:
        """The place of the one person whose name or id is nearest, None where none is near. Letters
        may differ, digits may not: the next number is somebody else's, and no slip.
        """
        known: dict[str, int] = {}
        for i, p in enumerate(self.people):
            for text in (p["student_id"], p["email"], _login(p), *_orders(p["name"])):
                if text:
                    known.setdefault(_plain(text), i)
        wanted = _plain(name)
        alike = [text for text in known if _digits(text) == _digits(wanted)]
        near = difflib.get_close_matches(wanted, alike, n=1, cutoff=NEAR)
        return known[near[0]] if near else None

    def _asked(self, near: int | None) -> str:
        if near is None:
            return ""
        person = self.people[near]
        called = f" ({person['name']})" if person["name"] else ""
        return f"; did you mean {person['student_id']}{called}?"


@dataclass(frozen=True)
class Matched:
    """Who is who: the people by student; of each student who is nobody's why; and the ids of
    those whose work one of these might be.
    """

    people: Mapping[str, Person]
    unknown: Mapping[str, str]
    maybe: frozenset[str]


def _plain(text: str) -> str:
    """Words in small letters; in a number an O and an l are the digits that they look like."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return " ".join(w.translate(_LOOKALIKES) if _digits(w) else w for w in words)


def _digits(text: str) -> str:
    return "".join(ch for ch in text if ch.isdigit())


def _orders(name: str) -> tuple[str, str]:
    """A name as it stands, and first name first."""
    last, _, first = name.partition(",")
    return name, f"{first} {last}"


def _login(p: Person) -> str:
    return p["email"].partition("@")[0].casefold()


def _key(header: str) -> str:
    """A column's name as it is compared: `Student ID` is `student_id`, `E-Mail` is `email`."""
    key = re.sub(r"[\s_-]+", "_", clean(header).strip().casefold())
    return {"e_mail": "email"}.get(key, key)


def read(path: Path) -> Roster:
    """Read and check a roster. Raises `InputError` with file, line, column and remedy."""
    table = read_table(path)
    columns = _columns(table, path)
    people = []
    seen: dict[tuple[str, str], int] = {}
    for i in range(1, len(table.rows)):
        row = table.rows[i]
        if not any(text.strip() for text in row):
            continue
        line = table.line(i)
        if len(row) > len(table.rows[0]):
            raise InputError(
                f"has {len(row)} cells, and the header {len(table.rows[0])}",
                where=path,
                line=line,
                remedy='put what holds a comma in quotes: "Andersson, Alice"',
            )
        person = dict.fromkeys(COLUMNS, "")
        for column, name in enumerate(columns):
            person[name] = _cell(table.cell(i, column), name, path, line)
        if not person["name"] and "name" not in columns:
            parts = (person.get("last_name", ""), person.get("first_name", ""))
            person["name"] = ", ".join(part for part in parts if part)
        for name in ("student_id", "email"):
            text = person[name].casefold()
            before = seen.setdefault((name, text), line) if text else line
            if before != line:
                raise InputError(
                    f"column {name}: '{person[name]}' stands on line {before}, too",
                    where=path,
                    line=line,
                    remedy="every student has one of their own; mend or remove one of the two",
                )
        people.append(person)
    if not people:
        raise InputError("names nobody", where=path, remedy="write a line for each student")
    return Roster(tuple(people), path.read_bytes())


def _columns(table: Table, path: Path) -> tuple[str, ...]:
    columns = tuple(_key(header) for header in table.rows[0])
    while columns and not columns[-1]:
        columns = columns[:-1]
    twice = next((c for c in columns if c and columns.count(c) > 1), None)
    if twice is not None:
        raise InputError(
            f"names the column {twice} twice", where=path, line=1, remedy="rename one of them"
        )
    lacking = [c for c in COLUMNS if c not in columns]
    others = [c for c in columns if c not in COLUMNS]
    for name in lacking:
        near = "" if name == "name" and "last_name" in others else did_you_mean(name, others)
        if name == "student_id" or near:
            raise InputError(
                f"has no column {name}{near}",
                where=path,
                line=1,
                remedy=f"the columns are {', '.join(COLUMNS)}, and others of your own",
            )
    return columns


def _cell(raw: str, column: str, path: Path, line: int) -> str:
    """One cell, checked. Raises `InputError`."""
    text = clean(raw).strip()
    wrong = ""
    if column == "student_id" and not text:
        wrong, remedy = "is empty", "give every student an id"
    elif len(text) > CELL_CAP:
        wrong, remedy = f"has {len(text)} characters", f"write at most {CELL_CAP}"
    elif column.endswith("_id") and _ROUNDED.fullmatch(text):
        wrong = f"'{text}' is a number that a spreadsheet has rounded"
        remedy = "format the column as text there, and export the roster again"
    elif column == "email" and text and not _ADDRESS.fullmatch(text):
        wrong, remedy = f"'{text[:60]}' is no address", "write one address, as alice@uni.edu"
    if wrong:
        raise InputError(f"column {column}: {wrong}", where=path, line=line, remedy=remedy)
    return text


def keep(out: Path, roster: Roster) -> None:
    """Put a roster into OUT, in place of the one that was there."""
    write_whole(out / NAME, roster.source)


def of(out: Path) -> Roster | None:
    """The roster that OUT remembers, None where it has none. Raises `InputError`."""
    path = out / NAME
    return read(path) if path.is_file() else None


def chosen(out: Path, named: Path | None, configured: Path | None) -> Roster | None:
    """The roster that counts now: what somebody named, else the file of the course's
    configuration, else what OUT remembers. Raises `InputError`.
    """
    if named is not None:
        return read(named)
    if configured is None or (not configured.is_file() and (out / NAME).is_file()):
        return of(out)
    if not configured.is_file():
        raise InputError(
            "does not exist, and grading_config.yml names it as the roster",
            where=configured,
            remedy="put it there, or name another with --roster",
        )
    return read(configured)


def known_section(roster: Roster | None, section: str, out: Path) -> None:
    """Raise `InputError` unless a roster has this section."""
    sections = [] if roster is None else roster.sections
    if section not in sections:
        there = f"its sections are {', '.join(map(clean, sections))}" if sections else ""
        raise InputError(
            f"has no section '{clean(section)}'" if roster else "has no roster",
            where=out / NAME,
            remedy=there or "name a roster with a column section: autograder report OUT --roster",
        )
