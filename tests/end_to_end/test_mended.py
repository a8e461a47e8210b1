"""Real notebooks, done and then treated as editors, tools and people treat them: honest work keeps
full marks, and a bug keeps exactly its verdict.

What tools do leaves the very same program (test_mend.py), so those notebooks are not graded
again here; the few changes below make another program of it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from autograder.intake.collect import collect
from autograder.intake.handout import handouts
from autograder.model import Result
from tests.notebooks import MODULES, changes, raw, solved
from tests.samples import ROOT, QuickGrader

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
QUICK = {
    "04-training-loop": ("imports_cut", "backwards"),
    "05-five-beats": ("merged", "backwards"),
    "06-line-by-line": ("own_cells", "imports_cut", "backwards"),
    "08-schedule-and-resume": ("imports_cut",),
}
LONG = (
    "colab_bare", "imports_last", "imports_own", "tests_lost", "tests_edited", "doubled", "split",
    "last_first", "merged", "own_cells", "imports_cut", "backwards",
)  # fmt: skip


def cases(quick: dict[str, tuple[str, ...]]) -> list[ParameterSet]:
    """Every change of every assignment; all but the quick ones are left to `make graders`."""
    return [
        pytest.param(a, c, marks=() if c in quick[a] else pytest.mark.graders, id=f"{a[:2]}-{c}")
        for a in MODULES
        for c in LONG
    ]


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


def graded(grader: QuickGrader, assignment: str, book: bytes, folder: Path) -> Result:
    (folder / "ann").mkdir(parents=True)
    (folder / "ann" / f"{MODULES[assignment]}.ipynb").write_bytes(book)
    given = handouts(ROOT, MODULES)
    (found,), refused = collect([folder], assignment, MODULES, given)
    assert not refused
    result = grader.grade(found).result
    assert result.status == "graded", result.notes
    return result


def verdict(result: Result) -> list[tuple[str, str, float, tuple[str, ...]]]:
    return [(c.id, str(c.status), c.score, c.bugs) for c in result.checks]


@pytest.mark.parametrize(("assignment", "change"), cases(QUICK))
def test_honest_work_keeps_full_marks(
    grader: QuickGrader, tmp_path: Path, assignment: str, change: str
) -> None:
    changed = changes(assignment)[change](solved(assignment))
    result = graded(grader, assignment, raw(changed), tmp_path)
    lost = [(c.id, c.status, c.message) for c in result.checks if c.score < c.max_score]
    assert result.score == result.max_score, lost


@functools.cache
def unchanged(grader: QuickGrader, assignment: str, folder: Path) -> Result:
    """The verdict on the buggy notebook as it was handed out."""
    return graded(grader, assignment, raw(solved(assignment, bug=True)), folder)


@pytest.mark.parametrize(
    ("assignment", "change"), cases({a: changed[-1:] for a, changed in QUICK.items()})
)
def test_a_bug_keeps_exactly_its_verdict(
    grader: QuickGrader, tmp_path_factory: pytest.TempPathFactory, assignment: str, change: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"unchanged-{assignment}"
    before = unchanged(grader, assignment, folder)
    assert any(c.bugs for c in before.checks), "it has a bug that is found"
    changed = changes(assignment)[change](solved(assignment, bug=True))
    after = graded(grader, assignment, raw(changed), tmp_path_factory.mktemp("changed"))
    assert verdict(after) == verdict(before)
