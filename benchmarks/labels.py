r"""The labelled samples: those of a `labels.tsv`, and those that are filed under an assignment.

A `labels.tsv` lies beside the files it speaks of:

    file \t kind \t bugs \t also [\t assignment]
    kind        correct, stretch or bug
    bugs, also  ids joined by `;`: expected, and acceptable instead or besides; `-` for none

The columns stand in this order; a first line that names them, in whatever words, may be there.

A file answers an assignment if the fifth column says so; or, where it is left out, if the name
of the file or of its folder is the assignment's id or module; or if the functions and classes
it defines at the top are most of those that the assignment's handout asks for, and are called
alike: `evaluate()` of one course is not the `evaluate(model, loader)` of everybody. Any other file
is a program of its own, to be watched. A row may name a folder, which is then one submission.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from autograder.bugs import BUGS
from autograder.course import config
from autograder.errors import InputError, SubmissionError
from autograder.intake.program import is_program, read_program

LABELS = "labels.tsv"
COLUMNS = ("file", "kind", "bugs", "also")
KINDS = ("correct", "stretch", "bug")
FEWEST_NAMES = 2
"""An assignment that asks for fewer definitions cannot be told by them."""
MANY = 100
"""As many arguments as any function is called with."""

Asked = Mapping[str, tuple[str, Mapping[str, range | None]]]
"""Of each assignment: its module, and the definitions its handout asks for."""


@dataclass(frozen=True)
class Sample:
    """One labelled program: a file, or a folder that is one submission.

    `name` is what reports call it; `assignment` is empty for a program of its own.
    """

    path: Path
    name: str
    kind: str
    bugs: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    assignment: str = ""


def of_assignments(root: Path) -> list[Sample]:
    """The sample submissions of the course below `root`, hostile ones left out.

    Raises `InputError` for a buggy sample without a row in its `expected.yml`.
    """
    found = []
    for assignment in config.course(root).assignments:
        home = root / "assignments" / assignment / "submissions"
        path = home / "expected.yml"
        rows = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for folder in sorted(p for p in home.glob("*") if p.is_dir()):
            kind = folder.name.partition("_")[0]
            if kind not in ("correct", "bug"):
                continue
            row = (rows or {}).get(folder.name)
            if row is None and kind == "bug":
                remedy = "say which bugs it must be told to have"
                raise InputError(f"no row for {folder.name}", where=path, remedy=remedy)
            bugs, also = ((row or {}).get(k, ()) for k in ("bugs", "also_bugs"))
            found.append(
                Sample(folder, folder.name, kind, frozenset(bugs), frozenset(also), assignment)
            )
    return found


def of_folder(folder: Path, root: Path, *, infer: bool = True) -> list[Sample]:
    """The samples that `folder/labels.tsv` lists; `root` is the course's folder.

    With `infer`, a file without an assignment in its row is looked at for one. Raises
    `InputError` with file, line and remedy for a row that cannot be read.
    """
    path = folder / LABELS
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise InputError("cannot be read", where=path, remedy=f"write a {LABELS} there") from e
    known = asked(root)
    seen: set[str] = set()
    samples = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or (number == 1 and _is_header(line)):
            continue
        sample = _row(folder, line, known, infer=infer, where=(path, number))
        if sample.name in seen:
            raise _wrong((path, number), f"{sample.name} is there twice", "keep one row")
        seen.add(sample.name)
        samples.append(sample)
    return samples


def _is_header(line: str) -> bool:
    """Whether a first line names the columns: its second word is none of the kinds."""
    cells = [c.strip().lower() for c in line.split("\t")]
    return cells[0] in ("file", "path", "name") and cells[1:2] != [] and cells[1] not in KINDS


def _wrong(where: tuple[Path, int], what: str, remedy: str) -> InputError:
    return InputError(what, where=where[0], line=where[1], remedy=remedy)


def _row(
    folder: Path,
    line: str,
    known: Asked,
    *,
    infer: bool,
    where: tuple[Path, int],
) -> Sample:
    cells = [c.strip() for c in line.split("\t")]
    if not 2 <= len(cells) <= len(COLUMNS) + 1:
        raise _wrong(where, f"{len(cells)} columns", "write file, kind, bugs, also")
    name, kind, bugs, also, assignment = (cells + [""] * 3)[:5]
    if kind not in KINDS:
        raise _wrong(where, f"kind '{kind}'", f"one of: {', '.join(KINDS)}")
    file = folder / name
    if not name or not file.exists() or not file.resolve().is_relative_to(folder.resolve()):
        raise _wrong(where, f"there is no '{name}' here", "name a file of this folder")
    wanted, allowed = (
        frozenset(word for c in cell.split(";") if (word := c.strip()) not in ("", "-", "none"))
        for cell in (bugs, also)
    )
    for bug in sorted((wanted | allowed) - BUGS.keys()):
        raise _wrong(where, f"no bug is called '{bug}'", "see docs/bugs.md")
    if (kind == "bug" and not wanted) or (kind == "correct" and wanted):
        raise _wrong(where, f"a {kind} sample with{'' if wanted else 'out'} bugs", "mend the row")
    if assignment and assignment not in known:
        raise _wrong(where, f"no assignment '{assignment}'", f"known: {', '.join(known)}")
    if infer and not assignment:
        assignment = answered(file, known)
    return Sample(file, name, kind, wanted, allowed, assignment)


@lru_cache(maxsize=8)
def asked(root: Path) -> Asked:
    """Of each assignment of the course: its module, and the definitions its handout asks for."""
    found = {}
    for assignment in config.course(root).assignments:
        module = config.assignment(root / "assignments" / assignment / "assignment.yml").module
        handout = root / "release" / assignment / f"{module}.py"
        found[assignment] = module, definitions(handout) if handout.is_file() else {}
    return found


def answered(file: Path, known: Asked) -> str:
    """The assignment that a file answers, as the header says; empty if it answers none."""
    names = (file.name, file.stem, file.parent.name)
    for assignment, (module, _) in known.items():
        if assignment in names or module in names:
            return assignment
    own = definitions(file)
    shares = {
        assignment: sum(n in own and _alike(own[n], wanted[n]) for n in wanted) / len(wanted)
        for assignment, (_, wanted) in known.items()
        if len(wanted) >= FEWEST_NAMES
    }
    best = max(shares, key=shares.__getitem__, default="")
    return best if shares.get(best, 0.0) > 0.5 else ""


def _alike(own: range | None, wanted: range | None) -> bool:
    """Both classes, or functions that can be called with the same number of arguments."""
    if own is None or wanted is None:
        return own is wanted
    return wanted.start in own or wanted.stop - 1 in own


def definitions(file: Path) -> dict[str, range | None]:
    """The functions that a program defines at the top, each with the numbers of positional
    arguments it takes, and the classes, with None; nothing if it is no Python.
    """
    if not is_program(file.name) or not file.is_file():
        return {}
    try:
        cells: Iterable[str] = read_program(file.name, file.read_bytes())[0].cells
    except SubmissionError:
        return {}
    return {name: takes for cell in cells for name, takes in _defined(cell)}


def _defined(text: str) -> Iterator[tuple[str, range | None]]:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):  # a cell of magics, or broken code
        return
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield node.name, None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            most = len(node.args.posonlyargs) + len(node.args.args)
            least = most - len(node.args.defaults)
            yield node.name, range(least, MANY if node.args.vararg else most + 1)
