"""Which of a student's programs is the one to grade: the newest of those that are complete.

    training_loop.py          10 October      the one with the handout's name need not be the last
    training_loop (1).py      12 October
    new/training_loop.py      14 October      graded, and the note names the others

Theory. Students keep copies, and tools make more of them. Complete is a program with nothing
left open that the handout asks for; among several the newest counts, by the tool's own order of
uploads, else by the files' times. Times tell nothing where a tool has set them all to the same;
then what the names say tells (`old`, `(1)`, `v2`, `final`), then the handout's own name, and where
that does not tell either, nobody guesses: a person is asked. A program that another one imports
is a part of it and no version. Files that nothing names for the assignment are taken for versions
only where each holds all that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from ..course.config import instant
from ..errors import SubmissionError
from ..model import Program
from ..text import clean
from .program import imports, is_empty, missing, same_code, stubs
from .repair import Handout
from .tree import Folder, Leaf

SAME_MOMENT = 2.0
"""Seconds within which times do not tell which is newer: what a zip archive's clock can tell."""
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_OLD = frozenset(("old", "older", "oldest", "backup", "bak"))
_NEW = frozenset(("new", "newer", "newest", "final", "latest", "last", "fixed", "corrected"))
_AGAIN = frozenset(("copy", "attempt", "try", "version", "resubmission", "submission", "upload"))
_DATE = re.compile(r"20\d\d[-_.]?\d\d[-_.]?\d\d")
_NUMBER = re.compile(r"\((\d{1,3})\)|(?:^|[\W_])v(\d{1,3})(?![^\W_])|_(\d{1,2})(?=\.|/|$)")


@dataclass(frozen=True)
class Version:
    """A program that may be a student's work for an assignment.

    `student` is the name as it stood in the file system, `label` the program's path below that
    student's work, `path` its whole path, `home` that of all the student's work, `inner` the
    folders below that it lies in, `beside` the one whose other files belong to it. `named` says
    that its name or its folder's speaks of the assignment, `exact` that it is the handout's own
    name. `when` is when it was handed in (ISO 8601), "" where no tool tells.
    """

    student: str
    assignment: str
    program: Program
    raw: bytes
    notes: tuple[str, ...]
    leaf: Leaf
    label: str
    path: str
    home: str
    inner: tuple[str, ...] = ()
    beside: Folder | None = None
    named: bool = True
    exact: bool = False
    when: str = ""

    @cached_property
    def marks(self) -> tuple[bool, int, int]:
        """What the names say of its age: not called old, its number as a copy, words for new."""
        words = {w.casefold() for w in _WORDS.findall(self.label)}
        numbers = [int(next(filter(None, found))) for found in _NUMBER.findall(self.label)]
        return not words & _OLD, max(numbers, default=0), len(words & _NEW)

    @cached_property
    def module(self) -> str:
        """The name by which another program would import this one."""
        return PurePosixPath(self.label).stem

    def holds(self, other: Version) -> bool:
        """Whether `other` lies beside this program or below, where it can be imported."""
        here = PurePosixPath(self.label).parent
        return here in PurePosixPath(other.label).parents


def says_age(name: str) -> bool:
    """Whether a name says which of several this is: `old`, `final version`, `v2`, `attempt 1`."""
    words = {w.casefold() for w in _WORDS.findall(name)}
    told = words & (_OLD | _NEW | _AGAIN) or _NUMBER.search(name) or _DATE.search(name)
    return bool(told)


def pick(
    versions: Sequence[Version], handout: Handout | None, module: str
) -> tuple[Version, tuple[str, ...]]:
    """The version to grade, and a note that names the others, where there are any.

    `module` is what the handout calls the program. Raises `SubmissionError` where it cannot be
    told which one is meant.
    """
    versions = sorted(_without_parts(versions), key=lambda v: (v.label, v.path))
    if _strangers(versions):
        raise _undecided(
            versions, f"keep one, named {module}.ipynb; of a class, name its own folder"
        )
    open_ = [
        (is_empty(v.program), stubs(v.program) + missing(v.program, handout)) for v in versions
    ]
    left = [v for v, n in zip(versions, open_, strict=True) if n == min(open_)]
    chosen: Version | None
    if all(same_code(left[0].program, v.program) for v in left[1:]):
        chosen = min(left, key=lambda v: (v.program.kind != "notebook", v.label))
        why = "holds the same"
    else:
        sure = all(v.named for v in left) or bool(
            handout and handout.asked and min(open_) == (False, 0)
        )
        chosen, why = _newest(left) if sure else (None, "")
    if chosen is None:
        raise _undecided(left, f"keep one, named {module}.ipynb or {module}.py")
    others = [
        f"{clean(v.label)} was not ({why if v in left else 'it is unfinished'})"
        for v in versions
        if v is not chosen
    ]
    if not others:
        return chosen, ()
    shown = "; ".join(others[:8]) + (f"; and {len(others) - 8} more" if len(others) > 8 else "")
    return chosen, (f"handed in more than once: {clean(chosen.label)} was graded, {shown}",)


def _undecided(versions: Sequence[Version], remedy: str) -> SubmissionError:
    names = ", ".join(clean(v.label) for v in versions[:8])
    more = f" and {len(versions) - 8} more" if len(versions) > 8 else ""
    what = f"several programs could be the one to grade: {names}{more}"
    return SubmissionError(what, remedy=remedy)


def _strangers(versions: Sequence[Version]) -> bool:
    """Whether programs lie in folders side by side whose names do not say which is which: that
    may be the work of two people.
    """
    plain = {v.inner for v in versions if not any(map(says_age, v.inner))}
    return any(a[: len(b)] != b and b[: len(a)] != a for a in plain for b in plain)


def _without_parts(versions: Sequence[Version]) -> list[Version]:
    """The versions without what another one rests on, and without what only tries one out.

    Of a program and a script that it imports, the one with the handout's name is the work; where
    both have it or neither, it is the one that imports.
    """
    uses = {id(v): imports(v.program.text) for v in versions}
    dropped = set()
    for whole in versions:
        for part in versions:
            if part is whole or part.program.kind != "script" or not whole.holds(part):
                continue
            back = whole.module in uses[id(part)] and whole.program.kind == "script"
            if part.module in uses[id(whole)] and not back:
                dropped.add(id(whole if part.exact and not whole.exact else part))
    return [v for v in versions if id(v) not in dropped] or list(versions)


def _newest(versions: Sequence[Version]) -> tuple[Version | None, str]:
    """The one that is newer than all others and what the others are; None where that is open."""
    if all(v.when for v in versions):
        times = sorted({instant(v.when) for v in versions})
        last = [v for v in versions if instant(v.when) == times[-1]]
        if len(last) == 1:
            return last[0], "it is older"
        versions = last
    current = [v for v in versions if v.marks[0]] or list(versions)
    if len(current) == 1:
        return current[0], "by its name it is an old one"
    latest = max((v.leaf.upload, v.leaf.modified) for v in current)
    last = [
        v
        for v in current
        if v.leaf.upload == latest[0] and latest[1] - v.leaf.modified < SAME_MOMENT
    ]
    if len(last) == 1:
        return last[0], "it is older"
    told = max(v.marks for v in last)
    foremost = [v for v in last if v.marks == told]
    if len(foremost) == 1:
        return foremost[0], "its time is the same, and its name is not the later one"
    exact = [v for v in foremost if v.exact]
    if len(exact) == 1:
        return exact[0], "its time is the same, and its name is not the handout's"
    return None, ""
