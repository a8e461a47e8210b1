"""The same work as a script, as a notebook, and with its cells in another legal order gets the same
verdict, every time it is graded.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

import pytest

from autograder.model import Program, Result, Submission
from tests.samples import ROOT, QuickGrader, folders

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ASSIGNMENT, MODULE = "04-training-loop", "training_loop"
SAMPLES = [
    p
    for p in folders(ASSIGNMENT)
    if (p / f"{MODULE}.py").is_file() and not p.name.startswith("hostile_")
]
CHOSEN = [p for p in SAMPLES if p.name.startswith("correct_")][:2] + [
    p for p in SAMPLES if p.name.startswith("bug_")
][::12]


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


def cells(text: str) -> list[tuple[bool, str]]:
    """A script's top-level statements as cells; True marks a function, free to move."""
    lines = text.splitlines(keepends=True)
    found = []
    for node in ast.parse(text).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        free = isinstance(node, ast.FunctionDef) and not decorators
        found.append((free, "".join(lines[first - 1 : node.end_lineno])))
    return found


def reordered(text: str, seed: int) -> tuple[str, ...]:
    """The cells with each run of neighbouring functions in another order."""
    out: list[str] = []
    group: list[str] = []
    rng = random.Random(seed)
    for free, cell in [*cells(text), (False, "")]:
        if free:
            group.append(cell)
        else:
            rng.shuffle(group)
            out += [*group, cell]
            group = []
    return tuple(c for c in out if c.strip())


def verdict(result: Result) -> list[tuple[str, str, float, tuple[str, ...]]]:
    assert result.status == "graded", result.notes
    return [(c.id, str(c.status), c.score, c.bugs) for c in result.checks]


def graded(grader: QuickGrader, program: Program) -> list[tuple[str, str, float, tuple[str, ...]]]:
    return verdict(grader.grade(Submission("someone", ASSIGNMENT, program, {})).result)


@pytest.mark.parametrize("folder", CHOSEN, ids=lambda p: p.name)
def test_script_notebook_and_another_order_agree(grader: QuickGrader, folder) -> None:  # type: ignore[no-untyped-def]
    text = (folder / f"{MODULE}.py").read_text(encoding="utf-8")
    script = graded(grader, Program("script", f"{MODULE}.py", (text,)))
    whole = tuple(cell for _, cell in cells(text))
    assert graded(grader, Program("notebook", f"{MODULE}.ipynb", whole)) == script
    other = reordered(text, 1)
    assert other != whole or sum(free for free, _ in cells(text)) < 2
    assert graded(grader, Program("notebook", f"{MODULE}.ipynb", other)) == script


def test_ten_submissions_graded_again_and_again_get_one_verdict(grader: QuickGrader) -> None:
    for folder in SAMPLES[:: max(1, len(SAMPLES) // 10)][:10]:
        text = (folder / f"{MODULE}.py").read_text(encoding="utf-8")
        program = Program("script", f"{MODULE}.py", (text,))
        told = [graded(grader, program) for _ in range(3)]
        assert told[0] == told[1] == told[2], folder.name
