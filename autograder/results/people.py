"""Whose row it is: the one student of a table whom a result belongs to.

Theory. A row is believed only where exactly one fits: a wrong grade is worse than none. Ids and
addresses are compared as they are, names as people write them, in either order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from ..model import Result
from ..text import cell as safe_cell
from ..text import clean
from .tables import Table

_SCHOOLS = ("gradescope", "blackboard", "sakai")
"""Tools that know a student by the school's id or login, and not by a number of their own."""
_APOSTROPHES = "'`\u2019\u02bc"


def identity(r: Result) -> str:
    """Who somebody is, whatever the work of this or that week was called."""
    return r.person.get("student_id") or r.student


def called(r: Result) -> str:
    """A student as people know them: the row's name, and behind it the roster's."""
    name = r.person.get("name", "")
    return clean(f"{r.student} ({name})" if name and name != r.student else r.student)


def fits_of(
    table: Table,
    rows: Sequence[int],
    columns: Sequence[int],
    named: Sequence[int],
    results: Iterable[Result],
) -> dict[str, set[int]]:
    """The rows that fit each student.

    `columns` hold ids, logins and addresses, which are compared as they are, the roster's before
    what the work was called; those of `named` hold names, which people write in either order:
    `Andersson, Alice` is `alice_andersson`.
    """
    fits: dict[str, set[int]] = {}
    for r in results:
        found: set[int] = set()
        for ids in (_roster_ids(r), {r.student, safe_cell(r.student), *_ids(r)}):
            wanted = {text.strip().casefold() for text in ids} - {""}
            found = found or {
                i for c in columns for i in rows if table.cell(i, c).strip().casefold() in wanted
            }
        if not found:
            called = spellings(_name(r))
            found = {i for c in named for i in rows if called & spellings(table.cell(i, c))}
        fits[r.student] = found
    return fits


def rows_of(
    table: Table,
    rows: Sequence[int],
    columns: Sequence[int],
    named: Sequence[int],
    results: Iterable[Result],
) -> tuple[dict[str, int], dict[str, str]]:
    """The row of each student whom one row fits and no other student, and of each other why not
    ("" where none fits). As `fits_of` otherwise.
    """
    return told_apart(fits_of(table, rows, columns, named, results))


def told_apart(fits: Mapping[str, set[int]]) -> tuple[dict[str, int], dict[str, str]]:
    """The row of each student whom one row fits and no other student, and of each other why not."""
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


def _roster_ids(r: Result) -> set[str]:
    """By what the roster knows the student; it goes before any name of a file."""
    return {r.person.get("student_id", ""), r.person.get("email", "")}


def _ids(r: Result) -> list[str]:
    """What else a student is known by: addresses, and the school's own id or login, where that is
    the tool's, too.
    """
    ids = [str(mail) for mail in r.origin.get("emails", [])]
    return [*ids, str(r.origin.get("user", ""))] if r.origin.get("tool") in _SCHOOLS else ids


def _name(r: Result) -> str:
    """A student's name, without the number that a tool put behind it."""
    if r.person.get("name"):
        return r.person["name"]
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
