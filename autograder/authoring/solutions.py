"""The solutions of an assignment, for after its deadline: three styles side by side, task by task.

The reference is shown beside two of the course's `correct_*` samples, which the gate holds to full
marks. Which two follows from the programs alone: the pair that is least alike by structure, one to
the other and both to the reference (`intake/fingerprints.py`), and shows most tasks one by one.

Theory. A statement belongs to the task whose names it binds, as the reference binds them; what
binds no such name belongs to the first task that uses it, else to the task of the statement before
it. What the handout gave, which everybody has, is left out.

No hidden test is shown: only solution cells of the master are read, and the finished page is looked
through for everything that a release hides besides solutions (`leaks`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ..course import samples
from ..course.config import Assignment
from ..intake import fingerprints
from ..intake.program import read_program
from ..model import Program
from .build import task_titles
from .leaks import refuse_leaks, secrets_of, thresholds_of
from .master import Cell, master_path, read_master, reference, solved_source

REFERENCE = "the reference"
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_TEXT_CELL = re.compile(r"# %% \[(?:markdown|md)\]")


@dataclass(frozen=True)
class Style:
    """One solution: what it is called, and its code by the number of the task, 0 for what stands
    before any.
    """

    name: str
    tasks: Mapping[int, str]


@dataclass(frozen=True)
class Solutions:
    """An assignment's tasks by number and title, and the styles in which they are solved, the
    reference first.
    """

    tasks: Mapping[int, str]
    styles: tuple[Style, ...]


def solutions(root: Path, assignment: Assignment) -> Solutions:
    """The reference and two samples of other styles. Raises `SourceError` for a broken master."""
    source = root / "source" / assignment.id
    cells = read_master(master_path(source, assignment))
    given = frozenset(
        part.code
        for cell in cells
        if cell.kind in ("shared", "public")
        for part in _parts(cell.source)
    )
    own = dict(_solved(cells))
    names: dict[str, int] = {}
    for task, text in own.items():
        for part in _parts(text):
            for name in part.binds:
                names.setdefault(name, task)
    texts = {REFERENCE: reference(source, assignment, "script").text}
    styles = {REFERENCE: Style(REFERENCE, own)}
    folder = root / "assignments" / assignment.id / "submissions"
    for sample in samples.folders(folder):
        program = _program(sample, assignment) if sample.name.startswith("correct_") else None
        if program is not None:
            name = sample.name.removeprefix("correct_").replace("_", " ")
            texts[name] = program.text
            styles[name] = Style(name, by_task(program.cells, names, given))
    handout = frozenset().union(*(fingerprints.runs(c.source) for c in cells if c.kind == "shared"))
    chosen = (REFERENCE, *_unlike(styles, texts, handout))
    shown = {n: title for n, title in task_titles(cells).items() if n in own}
    return Solutions(shown, tuple(styles[name] for name in chosen))


def refuse_hidden(root: Path, assignment: Assignment, found: Solutions, page: bytes) -> None:
    """Raise `LeakError` where a hidden test, a seed or a threshold stands in solutions or on their
    page. Both are looked through, since the colours of a page cut its lines into pieces.
    """
    path = master_path(root / "source" / assignment.id, assignment)
    cells = read_master(path)
    calibration = root / "assignments" / assignment.id / "calibration.yml"
    measured = calibration.read_bytes() if calibration.is_file() else b""
    solved = "".join(
        "".join(solved_source(c.source).split()) for c in cells if c.kind == "solution"
    )
    secrets = [
        s
        for s in secrets_of(assignment, cells, thresholds_of(measured))
        if s.number is not None or "".join(s.text.split()) not in solved
    ]
    code = "\n\n".join(text for style in found.styles for text in style.tasks.values())
    files = {f"{assignment.module}.py": code.encode(), f"{assignment.id}.html": page}
    refuse_leaks(path, files, secrets)


def _solved(cells: Sequence[Cell]) -> Iterator[tuple[int, str]]:
    """The solution of each task, in the master's order; what lies before the first is task 0."""
    task, found = 0, dict[int, list[str]]()
    for cell in cells:
        if cell.kind == "markdown":
            task = next(reversed(task_titles((cell,))), task)
        elif cell.kind == "solution":
            found.setdefault(task, []).append(solved_source(cell.source).strip("\n"))
    for number, texts in found.items():
        yield number, "\n\n\n".join(texts)


def _program(sample: Path, assignment: Assignment) -> Program | None:
    """A sample's program; None where it does not lie in the file of the handout's name."""
    for suffix in (".ipynb", ".py"):
        path = sample / f"{assignment.module}{suffix}"
        if path.is_file():
            return read_program(path.name, path.read_bytes())[0]
    return None


def _unlike(
    styles: Mapping[str, Style], texts: Mapping[str, str], handout: frozenset[int]
) -> tuple[str, ...]:
    """The names of two samples, by the rule of the module's header; fewer where there are none."""
    works = {name: fingerprints.Work.of(text) for name, text in texts.items()}
    pairs = fingerprints.alike(works, handout, listed=0)
    alike = {frozenset(p.names): p.likeness for p in pairs}
    others = [name for name in sorted(styles) if name != REFERENCE]

    def cost(two: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
        tasks = [(name, n) for name in two for n in styles[REFERENCE].tasks]
        missing = sum(not styles[name].tasks.get(n) for name, n in tasks) / max(1, len(tasks))
        three = combinations((REFERENCE, *two), 2)
        return missing + max(alike.get(frozenset(pair), 0.0) for pair in three), two

    return min(combinations(others, min(2, len(others))), key=cost)


# -- by task -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """A statement with the comments above it: its text, what it binds for the whole program, what
    it reads, and its code as Python understands it.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    code: str
    imports: bool = False


def by_task(
    cells: Iterable[str], names: Mapping[str, int], given: frozenset[str] = frozenset()
) -> dict[int, str]:
    """The code of each task, 0 for what stands before any, of a program in `cells`.

    `names` tells the task of each name that the assignment asks for; a statement whose code is in
    `given` is left out.
    """
    parts = [p for cell in cells for p in _parts(cell) if p.code not in given]
    homes = [min((names[b] for b in p.binds if b in names), default=-1) for p in parts]
    changed = True
    while changed:
        changed = False
        for k, part in enumerate(parts):
            if homes[k] < 0 and part.binds and not part.imports:
                users = [homes[n] for n, p in enumerate(parts) if n != k and p.uses & part.binds]
                homes[k] = min((home for home in users if home >= 0), default=-1)
                changed = changed or homes[k] >= 0
    found: dict[int, list[str]] = {}
    last = 0
    for home, part in zip(homes, parts, strict=True):
        last = 0 if part.imports else home if home >= 0 else last
        found.setdefault(last, []).append(part.text)
    return {n: "\n".join(texts).strip("\n") for n, texts in sorted(found.items())}


def _parts(text: str) -> list[_Part]:
    """The statements of a cell or a script; one whole where Python cannot read it."""
    text = _MAGIC.sub(lambda m: f"#{m[0]}", text)
    lines = text.splitlines()
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return [_Part(text, frozenset(), frozenset(), text)]
    spans: list[tuple[int, int, list[ast.stmt]]] = []
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        end = node.end_lineno or node.lineno
        if spans and first <= spans[-1][1]:  # behind a semicolon
            start, last, nodes = spans[-1]
            spans[-1] = start, max(last, end), [*nodes, node]
        else:
            spans.append((spans[-1][1] + 1 if spans else 1, end, [node]))
    return [
        _Part(
            "\n".join(_code_lines(lines[start - 1 : end])),
            frozenset(b for node in nodes for b in _binds(node)),
            frozenset(_uses(nodes)),
            "\n".join(ast.dump(node) for node in nodes),
            all(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes),
        )
        for start, end, nodes in spans
    ]


def _code_lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines of a script without its cells' marks and without the text cells of the handout."""
    inside = False
    for line in lines:
        if line.startswith("# %%"):
            inside = _TEXT_CELL.match(line) is not None
        elif not (inside and line.startswith("#")):
            inside = False
            yield line


def _binds(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds for the whole program."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        if not isinstance(node, ast.Lambda):
            yield node.name
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                yield from inner.names
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from _binds(child)


def _uses(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                yield inner.id
