"""The page of an assignment's solutions: every task with its code in several styles, side by side.

It is for students once nobody can hand in any more, so it names nobody; it is complete without a
script and asks nothing of any host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..bugs import BUGS
from ..model import Result
from ..text import clean
from . import source
from .html import environment
from .monday import graded_of, with_bugs

FREQUENT = 3
"""As many bugs of the class are told."""


@dataclass(frozen=True)
class Class:
    """How many works of a class were graded, and its most frequent bugs: id, what it is, how many
    have it.
    """

    graded: int
    bugs: tuple[tuple[str, str, int], ...]


def of_class(results: Iterable[Result], assignment: str) -> Class:
    """What is told of the class whose `results` these are: numbers, and nobody's name."""
    graded = graded_of(r for r in results if r.assignment == assignment)
    told = [
        (clean(bug), BUGS[bug].meaning if bug in BUGS else "", len(who))
        for bug, who in with_bugs(graded)[:FREQUENT]
    ]
    return Class(len(graded), tuple(told))


def page(
    course: str,
    title: str,
    tasks: Mapping[int, str],
    styles: Sequence[tuple[str, Mapping[int, str]]],
    class_: Class | None,
) -> bytes:
    """The page as HTML in UTF-8: the `tasks` by number and title, and of each style its name and
    its code by the number of the task, 0 for what stands before any.
    """
    numbers = [0] if any(code.get(0) for _, code in styles) else []
    view = {
        "course": course,
        "title": title,
        "tasks": [
            {
                "number": n,
                "title": tasks.get(n, "Before the tasks"),
                "styles": [
                    {"name": name, "lines": source.coloured(code[n]) if code.get(n) else []}
                    for name, code in styles
                ],
            }
            for n in (*numbers, *tasks)
        ],
        "names": [name for name, _ in styles],
        "class": class_,
    }
    return environment().get_template("solutions.html.j2").render(view).encode()
