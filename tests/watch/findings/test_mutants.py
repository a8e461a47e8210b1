"""With any one finder switched off, some script of the corpus no longer gets its name.

Every bug of the corpus is watched once in a box, and each finder is then asked by itself: for each
finder there must be a script with an expected id that nobody else would have given.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder.watch.findings import Log, finders
from autograder.watch.watcher import Watcher
from benchmarks.labels import Sample, of_folder
from tests.samples import ROOT

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
CORPUS = ROOT / "tests" / "corpus"


def name_of(finder: Callable[[Log], object]) -> str:
    return f"{finder.__module__.rpartition('.')[2]}.{finder.__name__}"


def one_of_each_bug_first() -> list[Sample]:
    """The corpus's bugs: a script of each id, and then the others, so that an end comes soon."""
    seen: set[str] = set()
    first: list[Sample] = []
    others: list[Sample] = []
    for sample in of_folder(CORPUS, ROOT, infer=False):
        if sample.bugs:
            (others if sample.bugs <= seen else first).append(sample)
            seen |= sample.bugs
    return first + others


def test_every_finder_is_missed() -> None:
    everyone = {name_of(f) for f in finders()}
    alone: set[str] = set()
    with Watcher() as watcher:
        for sample in one_of_each_bug_first():
            log = watcher.watch(sample.path, seconds=60.0).log
            if log is None:
                continue
            said = {name_of(f): {found.bug for found in f(log)} for f in finders()}
            for bug in sample.bugs | sample.also:
                speakers = [name for name, bugs in said.items() if bug in bugs]
                if len(speakers) == 1:
                    alone.add(speakers[0])
            if alone >= everyone:
                return
    assert everyone - alone == set()
