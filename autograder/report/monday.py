"""The page for the next lesson: the class's bugs, the most frequent first, and how to teach each.

Of each bug it says how many have it, what they probably believe, what to ask, and gives a short
program that shows what happens, with what it prints; where the evidence tells the order of a loop,
the beats of a loop of this class stand above it. It names nobody, so it can be shown in the lesson.

Theory. The words are those of the catalogue (`bugs.py`). The programs lie in `demos/`, one for each
bug that shows itself in a few lines without data; a test runs them. Of the loops of all who have a
bug, the most frequent order is shown, marked for this bug alone and without any name of theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..bugs import BUGS
from ..errors import GraderError
from ..model import Result
from ..results import files
from ..text import clean, slug
from . import beats, source
from .html import environment

DEMOS = Path(__file__).parent / "demos"
PRINTS = "# > "
"""How a line of a demonstration begins that says what it prints."""
RIGHT = tuple(beats.Beat(name) for name in beats.RIGHT)
FILE = "monday.html"
"""The page of everybody; that of a section is called after it."""


def file_of(section: str | None) -> str:
    """The name of the page of a section of the roster, or of everybody."""
    return FILE if section is None else f"monday-{slug(section)}.html"


def graded_of(results: Iterable[Result]) -> list[Result]:
    """The results that count: graded, of students who are still in the class."""
    return [r for r in results if r.status == "graded" and not r.gone]


def with_bugs(graded: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Each bug with the results that have it, the most frequent first."""
    have: dict[str, list[Result]] = {}
    for r in graded:
        for bug in r.bugs:
            have.setdefault(bug, []).append(r)
    return sorted(have.items(), key=lambda item: (-len(item[1]), item[0]))


@dataclass(frozen=True)
class Demo:
    """A demonstration: its program, and the lines that it prints."""

    code: str
    prints: str


@lru_cache
def demo(bug: str) -> Demo | None:
    """The demonstration of a bug of the catalogue; None where there is none."""
    path = DEMOS / f"{bug}.py"
    if bug not in BUGS or not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if not line.startswith(PRINTS)]
    prints = [line.removeprefix(PRINTS) for line in lines if line.startswith(PRINTS)]
    return Demo("\n".join(code).rstrip("\n"), "\n".join(prints))


def page(out: Path, course: str, section: str | None, results: Iterable[Result]) -> bytes:
    """The page of those of `out` whose `results` these are, as HTML in UTF-8."""
    graded = graded_of(results)
    ids = sorted({r.assignment for r in graded})
    people = len({r.student for r in graded})
    # with_bugs has put first what most works have, and sorting keeps that among equals
    bugs = [_bug(out, bug, who, people) for bug, who in with_bugs(graded)]
    bugs.sort(key=lambda b: -b["count"])
    view = {
        "course": course,
        "section": section,
        "assignments": ids,
        "people": people,
        "right": RIGHT,
        "bugs": bugs,
    }
    return environment().get_template("monday.html.j2").render(view).encode()


def _bug(out: Path, bug: str, who: list[Result], people: int) -> dict[str, Any]:
    known = BUGS.get(bug)
    shown = demo(bug)
    per = Counter(r.assignment for r in who)
    count = len({r.student for r in who})
    return {
        "id": clean(bug),
        "anchor": slug(bug),
        "known": known,
        "count": count,
        "share": round(100 * count / people, 2),
        "per": per,
        "loop": _loop(out, bug, who),
        "demo": shown and {"lines": source.coloured(shown.code), "prints": shown.prints},
    }


def _loop(out: Path, bug: str, who: Iterable[Result]) -> tuple[beats.Beat, ...]:
    """The beats of the loop that most of `who` wrote, where they show this bug; () where none do.

    A file that cannot be read is left out here: that student's own page tells of it.
    """
    found: Counter[tuple[beats.Beat, ...]] = Counter()
    if bug in beats.MARKS:
        for r in who:
            folder = files.evidence_folder(out, r.owner or r.student, r.assignment)
            try:
                kept = files.loop_data(folder)
            except GraderError:
                continue
            found.update({loop.beats for loop in beats.loops(kept, {bug}) if loop.marked})
    most = max(found.values(), default=0)
    return next((own for own, n in found.items() if n == most), ())
