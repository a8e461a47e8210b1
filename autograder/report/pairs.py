"""The page of works that are alike: pairs side by side, with what they share marked.

What is marked in a work stands in the other one, whatever its names; what is grey was handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..results.files import write_whole
from ..text import clean
from .html import environment

CODE_CAP = 60_000
"""Characters of a work that are shown."""


@dataclass(frozen=True)
class Side:
    """One work of a pair: whose, how much of it the other holds (0 to 1), and its code in pieces,
    each with what it is: `shared`, `given` or "" for neither.
    """

    name: str
    share: float
    pieces: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Beside:
    """Two works, how alike they are (0 to 1), and in how many fingerprints."""

    sides: tuple[Side, Side]
    likeness: float
    shared: int


def write(path: Path, assignment: str, works: int, listed: float, pairs: Sequence[Beside]) -> None:
    """Write the page of an assignment's pairs, of so many `works`, that are `listed` alike or more.

    A pair whose sides have no pieces stands in the list alone.
    """
    view = {
        "assignment": assignment,
        "works": works,
        "listed": listed,
        "pairs": [
            {
                **asdict(p),
                "sides": [_side(s) for s in p.sides],
                "code": any(s.pieces for s in p.sides),
            }
            for p in pairs
        ],
    }
    html = environment().get_template("pairs.html.j2").render(view)
    write_whole(path, html.encode())


def _side(side: Side) -> dict[str, object]:
    """What the page says of a work; a very long one is cut."""
    left, pieces = CODE_CAP, []
    for kind, text in side.pieces:
        if left > 0:
            pieces.append({"kind": kind, "text": clean(text[:left], lines=True)})
        left -= len(text)
    return {"name": clean(side.name), "share": side.share, "pieces": pieces, "cut": left < 0}
