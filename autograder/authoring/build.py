"""From a source to what students get, byte for byte the same each time.

    source/<id>/<module>.py  ->  release/<id>/<module>.ipynb      notebook, with public tests
        (the master)                          <module>.py         script, the same text and stubs
    assignments/<id>/assignment.yml           test_<module>.py    the public tests, plain pytest
                                              public.yml          the public checks
                                              README.md           tasks, points, how to hand in
                                              img/                pictures
    docs/explore/                             explore/            pages that the handout links to
    source/<id>/given/                        as it is            what students need beside it
    assignments/<id>/public_checks.py         checks/             judges of public checks, with
                                                                  what they import; probes.py

Nothing hidden is in it: solutions become stubs, hidden test cells are emptied (the notebook
keeps them, locked, because nbgrader restores them), the seed and every hidden check stay
behind, and `leaks` looks through every byte for them. The points of the master's cells must
agree with those of the assignment's checks.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

import yaml

from ..checks import own
from ..checks.by_hand import NAME as BY_HAND
from ..checks.by_hand import marked
from ..course.config import MODULES, RELEASED, Assignment, CheckSpec, modules_of
from ..errors import SourceError
from ..model import Visibility
from .leaks import refuse_leaks, secrets_of, thresholds_of
from .master import (
    IGNORED,
    Cell,
    given_files,
    linked_pages,
    master_path,
    read_master,
    student_source,
    task_of,
)
from .notebook import as_notebook, graded, pictures_of

_TASK = re.compile(r"^##\s+Task\s+(\d+)\s*[·:.-]*\s*(.*)$", re.MULTILINE)


def task_titles(cells: tuple[Cell, ...]) -> dict[int, str]:
    """The titles of the handout's tasks, by their numbers."""
    text = "\n".join(c.source for c in cells if c.kind == "markdown")
    return {int(n): title.strip() for n, title in _TASK.findall(text)}


def _check_points(path: Path, assignment: Assignment, cells: tuple[Cell, ...]) -> None:
    """Each task's public and hidden cells are worth what its public and hidden checks are."""
    want: dict[tuple[int, bool], float] = defaultdict(float)
    for check in assignment.checks:
        if check.key != BY_HAND:
            want[check.task, check.visibility is Visibility.PUBLIC] += check.points
    have: dict[tuple[int, bool], float] = defaultdict(float)
    lines: dict[tuple[int, bool], int] = {}
    by_hand = {c.id: c for c in assignment.checks if c.key == BY_HAND}
    for cell in cells:
        if cell.kind == "manual":
            _check_manual(path, cell, by_hand.pop(cell.grade_id, None))
    if by_hand:
        raise SourceError(
            f"has no cell for the check '{next(iter(by_hand))}', which a person reads",
            where=path,
            remedy="add a markdown cell with grade: true, solution: true and that grade_id",
        )
    for cell in cells:
        if cell.kind not in ("public", "hidden"):
            continue
        key = task_of(cell, path), cell.kind == "public"
        have[key] += cell.points
        lines[key] = cell.line
    for key in sorted(set(want) | set(have)):
        if abs(want[key] - have[key]) > 1e-9:
            kind = "public" if key[1] else "hidden"
            raise SourceError(
                f"the {kind} tests of task {key[0]} are worth {have[key]:g} points, "
                f"its {kind} checks {want[key]:g}",
                where=path,
                line=lines.get(key),
                remedy="make cell and assignment.yml agree",
            )


def _check_manual(path: Path, cell: Cell, spec: CheckSpec | None) -> None:
    """A cell that a person reads stands for one check, which bears its grade_id and its points."""
    if spec is None:
        what = f"the cell '{cell.grade_id}' is read by a person, and no check 'by_hand' is for it"
        remedy = f"add a check with id: {cell.grade_id} and use: by_hand to assignment.yml"
    elif abs(spec.points - cell.points) > 1e-9:
        what = (
            f"the cell '{cell.grade_id}' is worth {cell.points:g} points, its check {spec.points:g}"
        )
        remedy = "make cell and assignment.yml agree"
    else:
        return
    raise SourceError(what, where=path, line=cell.line, remedy=remedy)


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


MAIN = 'if __name__ == "__main__":'
"""How a given cell begins that tries out what the student has written: an experiment."""
_GUESS = re.compile(r"my_guess\w* = .*")
"""A given cell in which students write what they expect of the experiment below it."""


def _experiments(cells: tuple[Cell, ...]) -> list[list[int]]:
    """The places of each experiment and of what belongs to it: the text and the guess above it, up
    to the last code or the task's own text, and the text below it, which says what it showed.
    """
    blocks: list[list[int]] = []
    for at, cell in enumerate(cells):
        if cell.kind != "shared" or not cell.source.startswith(MAIN):
            continue
        start, end = at, at + 1
        while start > 0 and _leads(cells[start - 1]) and start - 1 not in (blocks or [[]])[-1]:
            start -= 1
        while end < len(cells) and cells[end].kind == "markdown":
            if cells[end].source.startswith("#"):
                break
            end += 1
        blocks.append(list(range(start, end)))
    return blocks


def _leads(cell: Cell) -> bool:
    """Whether a cell above an experiment belongs to it."""
    if cell.kind == "markdown":
        return not cell.source.startswith("# ") and not _TASK.match(cell.source)
    return cell.kind == "shared" and _GUESS.fullmatch(cell.source.strip()) is not None


def _script(cells: tuple[Cell, ...]) -> str:
    """The cells as a script. Its experiments come last, with their own text: what raises ends a
    script, and a task that is not written yet must not keep the tasks below it from being defined.
    """
    blocks = _experiments(cells)
    moved = {k for block in blocks for k in block}
    parts = [_percent(c) for k, c in enumerate(cells) if k not in moved]
    head = ""
    for block in blocks:
        first, before = cells[block[0]], task_titles(cells[: block[0]])
        if before and not first.source.startswith("## "):
            number, title = list(before.items())[-1]
            above, head = head, f"# %% [markdown]\n# ## Experiment · task {number}, {title}"
            parts += [head] if head != above else []
        parts += [_percent(cells[k]) for k in block]
    return "\n\n".join(part for part in parts if part) + "\n"


def _percent(cell: Cell) -> str:
    """A cell in a script; a test is none of its cells."""
    if cell.kind in ("public", "hidden"):
        return ""
    if cell.is_code:
        return f"# %%\n{student_source(cell.source)}"
    text = cell.source
    if cell.kind == "manual":
        return f"# %% [markdown]\n{marked(cell.grade_id, text)}"
    return f"# %% [markdown]\n{_comment(text)}"


_TESTS = '''"""The public tests of {id}: run `pytest` in this folder, beside your {module}.py.

Generated from the handout; the same tests stand in the notebook. The hidden tests of the
grader look closer.
"""

import functools
import importlib.util
import os
import sys
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
stopped = ""


@pytest.fixture(scope="module", autouse=True)
def your_work():
    """Run your program once, and give its names to the tests below.

    Where it stops at a task that is not written yet, what it defined until then is tested.
    """
    global stopped
    before = os.getcwd()
    os.chdir(HERE)  # data and files are looked for beside the program
    spec = importlib.util.spec_from_file_location("{module}", HERE / "{module}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["{module}"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"{module}.py stops at line {{mine[-1].lineno}}, which is not written yet"
    names = {{k: v for k, v in vars(module).items() if k not in globals()}}
    globals().update(names)
    yield
    os.chdir(before)


def task(number):
    """Say which task a test belongs to, and when that task is still to be written."""

    def mark(test):
        @functools.wraps(test)
        def run():
            try:
                test()
            except NotImplementedError:
                pytest.fail(f"task {{number}} is not written yet", pytrace=False)
            except NameError as e:
                reason = f"; {{stopped}}" if stopped else ""
                pytest.fail(f"task {{number}}: {{e}}{{reason}}", pytrace=False)

        return run

    return mark

'''


def _tests(path: Path, assignment: Assignment, cells: tuple[Cell, ...]) -> str:
    out = [_TESTS.format(id=assignment.id, module=assignment.module)]
    for cell in cells:
        if cell.kind != "public":
            continue
        name = cell.grade_id.replace("-", "_")
        body = "\n".join(f"    {line}".rstrip() for line in cell.source.splitlines())
        out.append(f"\n@task({task_of(cell, path)})\ndef test_{name}():\n{body}\n")
    return "\n".join(out)


def _public_yml(assignment: Assignment) -> str:
    raw = assignment.public().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return "# The public checks; generated, see the assignment's source.\n" + yaml.safe_dump(
        raw, sort_keys=False, allow_unicode=True, width=100
    )


def may_import(modules: Iterable[str]) -> str:
    """The sentence that tells students what they may import; `modules` are the course's own."""
    names = [f"`{m}`" for m in dict.fromkeys((*MODULES, *modules))]
    return (
        "Where your work is graded you can import Python's own modules, "
        f"{', '.join(names[:-1])} and {names[-1]}."
    )


def front(cells: tuple[Cell, ...]) -> str:
    """The lines that say what the handout needs and gives: the first list of its first cell."""
    first = cells[0].source if cells and cells[0].kind == "markdown" else ""
    match = re.search(r"^\* \*\*You will need\*\*.*?(?=\n\n|\Z)", first, re.MULTILINE | re.DOTALL)
    return f"{match[0]}\n\n" if match else ""


def _readme(
    assignment: Assignment,
    cells: tuple[Cell, ...],
    modules: Iterable[str],
    own_files: Iterable[str],
    given: Iterable[str],
) -> str:
    titles = task_titles(cells)
    points: dict[int, float] = defaultdict(float)
    public: dict[int, float] = defaultdict(float)
    for check in assignment.checks:
        points[check.task] += check.points
        if check.visibility is Visibility.PUBLIC:
            public[check.task] += check.points
    rows = "\n".join(
        f"| {n} | {titles.get(n, '')} | {points[n]:g} | {public[n]:g} |" for n in sorted(points)
    )
    module = assignment.module
    top = front(cells)
    read = f"`public.yml` and `{RELEASED}/`" if list(own_files) else "`public.yml`"
    names = [f"`{name}`" for name in sorted(given)]
    hand_in = (
        f"Hand in `{module}.ipynb` or `{module}.py`, the one that you worked in and not the other, "
        "under that name. If your work needs other files that you wrote, put them beside it."
    )
    if names:
        hand_in += f" {' and '.join(names)} came with the handout and need not be handed in."
    hand_in = fill(hand_in, 98, break_long_words=False, break_on_hyphens=False)
    return f"""# {assignment.title}

{top}Work in **one** of two files, whichever you like better: the notebook `{module}.ipynb` or the
script `{module}.py`. They ask for the same things. Replace each

```python
# YOUR CODE HERE
raise NotImplementedError()
```

by your own code, and keep the names that the handout gives.

| task | what | points | of these public |
|---:|---|---:|---:|
{rows}
| | **in all** | **{assignment.points:g}** | |

## Check your work

* In the notebook, run the test cells below each task.
* With the script, run `pytest` in this folder (`pip install pytest`, beside what the handout
  imports). It imports your file, so what stands below `if __name__ == "__main__":` is not run.
* If your course has told you how to install its package, run
  `autograder check {module}.py` (or `.ipynb`) here: it runs the public checks
  and explains what they saw. It reads {read}.

The public tests are the easy part of the grade: the hidden ones run your code on other inputs and
compare what it does with what the task asks for. They do not read your code, so any style is fine.
When your work is graded, the whole file is run first, as `__main__`.

## What you can import

{fill(may_import(modules), 98, break_long_words=False, break_on_hyphens=False)}

To import another module, such as `pandas`, `sklearn` or `wandb`, is no error there: what it would
draw, print or log is left out, and your program goes on. Only where your program needs a value that
the module computes does it stop, and a person looks at it; you lose no points for that.

## Hand in

{hand_in}
"""


def files_of(source: Path, assignment: Assignment) -> dict[str, bytes]:
    """Everything of a release by its name. Raises `SourceError`."""
    path = master_path(source, assignment)
    cells = read_master(path)
    _check_points(path, assignment, cells)
    module = assignment.module
    public = {f"{RELEASED}/{n}": raw for n, raw in own.released(assignment.folder).items()}
    given = given_files(source)
    readme = _readme(assignment, cells, modules_of(source.parent.parent), public, given)
    texts = {
        f"{module}.ipynb": as_notebook(
            assignment.id,
            graded(cells, assignment, path),
            student_source,
            pictures=pictures_of(source),
            lock=True,
        ),
        f"{module}.py": _script(cells),
        f"test_{module}.py": _tests(path, assignment, cells),
        "public.yml": _public_yml(assignment),
        "README.md": readme,
    }
    files = {name: text.encode() for name, text in texts.items()}
    for image in sorted((source / "img").glob("*")):
        if image.suffix == ".png" and image.with_suffix(".svg").is_file():
            continue  # it is the notebook's, which holds it
        files[f"img/{image.name}"] = image.read_bytes()
    for name, raw in {**public, **given}.items():
        if name in files:
            raise SourceError(
                f"would take the place of the release's own {name}",
                where=source / "given" / name,
                remedy="call it otherwise",
            )
        files[name] = raw
    calibration = source.parent.parent / "assignments" / assignment.id / "calibration.yml"
    measured = calibration.read_bytes() if calibration.is_file() else b""
    refuse_leaks(path, files, secrets_of(assignment, cells, thresholds_of(measured)))
    return {**linked_pages(source, cells), **files}  # docs/ is public: what it says is no secret


def digest(source: Path, assignment: Assignment) -> str:
    """The sha256 of a release, names and bytes. Raises `SourceError`."""
    h = hashlib.sha256()
    for name, raw in sorted(files_of(source, assignment).items()):
        h.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return h.hexdigest()


def build(source: Path, assignment: Assignment, target: Path) -> None:
    """Write the release of one assignment, in place of what is there. Raises `SourceError`."""
    files = files_of(source, assignment)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".release-") as name:
        made = Path(name) / target.name
        for file, raw in files.items():
            (made / file).parent.mkdir(parents=True, exist_ok=True)
            (made / file).write_bytes(raw)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)


def check(source: Path, assignment: Assignment, target: Path) -> list[str]:
    """The files in which `target` differs from a fresh release: stale, missing or extra."""
    files = files_of(source, assignment)
    found = sorted(target.rglob("*")) if target.is_dir() else []
    there = {
        p.relative_to(target).as_posix(): p.read_bytes()
        for p in found
        if p.is_file() and not IGNORED.intersection(p.relative_to(target).parts)
    }
    names = sorted(set(files) | set(there))
    return [name for name in names if files.get(name) != there.get(name)]
