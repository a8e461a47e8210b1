"""A submitted notebook beside the handout it began as: what became of it, and what is mended.

Theory. Cells are told by their grade ids where these are left (JupyterLab keeps them; other
editors may drop them), else by their cell ids, their text, or the functions and classes that
they define. Work is judged by what it does, so as little as possible is touched, and nothing
that a student wrote is ever replaced or left out:

- What the handout *gave* (imports, helpers; never more than definitions) is put back where a
  name of it is used and nowhere bound in time. It goes in front, so that whatever the student
  binds comes later and wins: an edited cell stays edited.
- A copy of the handout's *stub*, still as it was handed out, that stands below the work done
  for it, is left out: it is the handout's text, and would undo the work.
- A *solution* cell that was turned into text (one key press in Jupyter) is code again, unless
  another cell defines the same.
- Cells run in the file's order, as they do under the student's hands. Only where that order
  looks a name up before any cell has bound it, and the handout's order does not, is the
  handout's order taken.
- Copies all run, and the last one counts, as in nbgrader. A test cell that is still the handout's
  does not run, unless something below rests on a name that it binds: the tests that give points
  are not the notebook's, and this one may train, fail, or bind over a name of the student's. An
  empty cell keeps its place, so that cells are counted as the student sees them.

Each thing that was done, or found and left, is one line of the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from ..text import clean
from .cell_names import Names, names

TESTED = "# a test cell of the handout"
QUIET = """\
import contextlib
import io

with contextlib.redirect_stderr(io.StringIO()):  # where progress bars are drawn
"""
"""What stands in front of a public test in a notebook, below its first comment."""


_QUIET = "".join(QUIET.split())
MEND_CAP = 256 << 10
"""Characters of code beyond which a notebook is left as it is."""

Role = Literal["given", "solution", "test"]


@dataclass(frozen=True)
class Piece:
    """A cell as it stands in a file; `code` is False for a cell of text with a grade id."""

    text: str
    grade_id: str = ""
    cell_id: str = ""
    code: bool = True
    role: Role = "given"
    """What the cell's metadata say that it is; believed in a handout only."""

    @cached_property
    def names(self) -> Names:
        return names(self.text)

    @cached_property
    def bare(self) -> str:
        """The text without white space, to compare by; and without what makes a public test quiet,
        which handouts of old do not have.
        """
        return "".join(self.text.split()).replace(_QUIET, "")


@dataclass(frozen=True)
class Handout:
    """The code cells of a release, in order."""

    cells: tuple[Piece, ...]

    @cached_property
    def asked(self) -> frozenset[str]:
        """The functions and classes that students are to write."""
        written = [c.names.defines for c in self.cells if c.role == "solution"]
        return frozenset().union(*written)

    def find(self, piece: Piece) -> int | None:
        """Which cell of the handout `piece` is, or began as; None for one of the student's own."""
        by_id = [i for i, c in enumerate(self.cells) if c.grade_id and c.grade_id == piece.grade_id]
        if by_id or not piece.code:
            return by_id[0] if by_id else None
        for same in (
            [i for i, c in enumerate(self.cells) if c.cell_id and c.cell_id == piece.cell_id],
            [i for i, c in enumerate(self.cells) if c.bare == piece.bare],
            [
                i
                for i, c in enumerate(self.cells)
                if c.role == "solution" and c.names.defines & piece.names.defines
            ],
            [i for i, c in enumerate(self.cells) if c.role == "solution" and _titled(piece, c)],
        ):
            if len(same) == 1:
                return same[0]
        return None


Handouts = Mapping[str, Handout]
"""Handouts by assignment id."""
NONE: Handouts = MappingProxyType({})


def _titled(piece: Piece, cell: Piece) -> bool:
    """Whether a piece begins with the comment that the handout's cell begins with."""
    first = cell.text.lstrip().partition("\n")[0].strip()
    return first.startswith("#") and piece.text.lstrip().startswith(first)


@dataclass(frozen=True)
class _Known:
    """A piece, and the index of the handout's cell that it is."""

    piece: Piece
    cell: int | None


def mend(
    name: str, pieces: Sequence[Piece], handout: Handout | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts of the code cells to run, and one line for each thing done or seen.

    `name` is the file's, for the record. Without a handout nothing is touched.
    """
    said: list[str] = []
    size = sum(len(p.text) for p in pieces)
    if handout is None or size > MEND_CAP:
        if handout is not None:
            said.append(f"its {size:,} characters of code were not compared with the handout")
        cells = [_Known(p, None) for p in pieces if p.code]
        said += _copies(cells)
    else:
        cells = [_Known(p, handout.find(p)) for p in pieces]
        said += _matched(cells, handout)
        cells = _back_to_code(cells, handout, said)
        cells = _without_stubs(cells, handout, said)
        said += _copies(cells)
        said += _edited(cells, handout)
        cells = _with_given(cells, handout, said)
        cells = _without_tests(_in_order(cells, handout, said), handout)
    return tuple(c.piece.text for c in cells), tuple(f"{name}: {s}" for s in said)


def _list(found: Sequence[str]) -> str:
    """Up to four names for a line of the record."""
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return ", ".join(clean(n)[:40] for n in found[:4]) + more


def _matched(cells: Sequence[_Known], handout: Handout) -> list[str]:
    """Say how cells were told, and which of the handout's are gone."""
    wanted = [c for c in handout.cells if c.grade_id]
    left = {c.piece.grade_id for c in cells if c.cell is not None} - {""}
    if wanted and not left:
        return ["no grade ids are left in it; its cells were told by what they define"]
    found = {c.cell for c in cells}
    bound = {n for c in cells if c.piece.code for n in c.piece.names.binds}
    gone = [
        c.grade_id
        for i, c in enumerate(handout.cells)
        if c.grade_id and i not in found and _code(c) and not (c.names.defines & bound)
    ]
    return [f"cells of the handout are missing ({_list(gone)})"] if gone else []


def _code(piece: Piece) -> bool:
    """Whether there is anything but comments in a cell."""
    return any(
        not line.lstrip().startswith("#") for line in piece.text.splitlines() if line.strip()
    )


def _back_to_code(cells: Sequence[_Known], handout: Handout, said: list[str]) -> list[_Known]:
    """Work that became a cell of text is code again, where no other cell does what it does."""
    out: list[_Known] = []
    for c in cells:
        if c.piece.code:
            out.append(c)
            continue
        if c.cell is None or handout.cells[c.cell].role != "solution":
            continue
        stub, mine = handout.cells[c.cell], c.piece.names
        others = [o for o in cells if o.piece.code]
        taken = any(o.cell == c.cell or o.piece.names.binds & mine.binds for o in others)
        if (
            mine.binds
            and not taken
            and (not stub.names.defines or stub.names.defines & mine.defines)
        ):
            out.append(_Known(replace(c.piece, code=True), c.cell))
            said.append(f"{clean(stub.grade_id)} had become a cell of text; it ran as code")
    return out


def _without_stubs(cells: Sequence[_Known], handout: Handout, said: list[str]) -> list[_Known]:
    """Leave out the handout's own stub where it stands below the work done in its place."""
    out: list[_Known] = []
    gone: list[str] = []
    for c in cells:
        stub = None if c.cell is None else handout.cells[c.cell]
        if stub is not None and stub.role == "solution" and c.piece.bare == stub.bare:
            wanted = stub.names.defines
            done = [o for o in out if o.piece.bare != stub.bare]
            there = {n for o in done for n in o.piece.names.defines}
            if (wanted <= there) if wanted else any(o.cell == c.cell for o in done):
                gone.append(stub.grade_id)
                continue
        out.append(c)
    if gone:
        said.append(
            f"untouched copies of the handout's cells below the work ({_list(gone)}) were left out"
        )
    return out


def _copies(cells: Sequence[_Known]) -> list[str]:
    """Grade ids that stand more than once: copied cells, or the halves of a split one."""
    ids = [c.piece.grade_id for c in cells if c.piece.grade_id]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    said = f"copied or split cells ({_list(twice)}); all of them ran, and what comes last counts"
    return [said] if twice else []


def _edited(cells: Sequence[_Known], handout: Handout) -> list[str]:
    """Say which test cells are no longer the handout's; points do not rest on them."""
    changed = [
        clean(tests.grade_id)
        for c in cells
        if c.cell is not None
        and (tests := handout.cells[c.cell]).role == "test"
        and tests.bare != c.piece.bare
    ]
    said = f"test cells were edited ({_list(changed)}); they ran so, and no points rest on them"
    return [said] if changed else []


def _with_given(cells: Sequence[_Known], handout: Handout, said: list[str]) -> list[_Known]:
    """Put back what the handout gave, in front, where something rests on it and lacks it."""
    out = list(cells)
    at = 0
    for i, given in enumerate(handout.cells):
        if given.role != "given" or not given.names.binds:
            continue
        quiet = given.names.quiet
        found = [c.piece.names for c in out]
        lacking = sorted(_lacking(found, given.names.binds, for_certain=not quiet))
        if not lacking:
            continue
        what = f"no cell binds {_list(lacking)} in time, as a cell of the handout did"
        earlier = {n for g in handout.cells[:i] if g.role == "given" for n in g.names.binds}
        if not quiet or given.names.needs - earlier:
            said.append(f"{what}; that one does more than define, and was not put back")
            continue
        out.insert(at, _Known(given, i))
        at += 1
        said.append(f"{what}; that one was put back in front, and cells are counted with it")
    return out


def _lacking(cells: Sequence[Names], given: frozenset[str], *, for_certain: bool) -> set[str]:
    """The names of `given` that the cells use, and bind nowhere or only after they need them.

    What a function uses may be its own; `for_certain` leaves such names out.
    """
    bound: set[str] = set()
    late: set[str] = set()
    for cell in cells:
        late |= cell.needs & given - bound
        bound |= cell.binds
    used = {n for cell in cells for n in cell.later}
    return late if for_certain else late | (given & used - bound)


def _in_order(cells: Sequence[_Known], handout: Handout, said: list[str]) -> list[_Known]:
    """The handout's order where the file's cannot run and the handout's can, else the file's."""
    order = [c.cell for c in cells if c.cell is not None]
    if order == sorted(order):
        return list(cells)
    blocks: list[list[_Known]] = [[]]  # a cell of the handout, with the student's own below it
    for c in cells:
        if c.cell is not None:
            blocks.append([])
        blocks[-1].append(c)
    sorted_blocks = sorted(blocks[1:], key=lambda block: block[0].cell or 0)
    other = [c for block in (blocks[0], *sorted_blocks) for c in block]
    early = _too_early(cells, handout)
    if early and not _too_early(other, handout) and not any(c.piece.names.obscure for c in cells):
        said.append(
            f"its cells looked up {_list(sorted(early))} before a cell had bound it; "
            "they ran in the handout's order"
        )
        return other
    if any(c.piece.grade_id for c in cells):  # a notebook of one's own has its own order
        said.append("its cells are not in the handout's order; they ran as they stand")
    return list(cells)


def _without_tests(cells: Sequence[_Known], handout: Handout) -> list[_Known]:
    """Empty the handout's own test cells that nothing rests on."""
    out: list[_Known] = []
    if any(c.piece.names.obscure for c in cells):
        return list(cells)
    for k, c in enumerate(cells):
        tests = None if c.cell is None else handout.cells[c.cell]
        same = tests is not None and tests.role == "test" and tests.bare == c.piece.bare
        if same and _code(c.piece):
            bound = {n for o in out for n in o.piece.names.binds}
            used = {n for o in cells[k + 1 :] for n in o.piece.names.needs | o.piece.names.later}
            if not c.piece.names.binds & used - bound:
                c = _Known(replace(c.piece, text=TESTED), c.cell)
        out.append(c)
    return out


def _too_early(cells: Sequence[_Known], handout: Handout) -> set[str]:
    """The names that a cell needs at once and only a later cell binds; test cells apart."""
    bound: set[str] = set()
    wanting: set[str] = set()
    found: set[str] = set()
    for c in cells:
        found |= wanting & c.piece.names.binds - bound
        if c.cell is None or handout.cells[c.cell].role != "test":
            wanting |= c.piece.names.needs - c.piece.names.binds - bound
        bound |= c.piece.names.binds
    return found
