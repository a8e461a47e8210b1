"""A clock that ended on a busy machine: once more, alone, before it costs a point."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.grading import batch, fairness
from autograder.grading.fairness import Turns, is_starved
from autograder.model import Evidence, Graded, LoadReport, Submission, Usage
from tests.grading.test_batch import Fake, submission

IDLE = Usage(wall_s=20.0, cpu_s=0.3)
SPENT = Usage(wall_s=20.0, cpu_s=19.5)
QUEUED = Usage(wall_s=60.0, cpu_s=19.0, waited_s=40.0)
STARVED = Usage(wall_s=60.0, cpu_s=5.0, waited_s=40.0)
DONE = Usage(wall_s=20.0, cpu_s=0.1)


def graded(status: str = "done", usage: Usage = DONE, load: str = "done") -> Graded:
    result = Fake().grade(submission("a")).result
    found = {"d": Evidence(status, usage=usage)}  # type: ignore[arg-type]
    return Graded(result, LoadReport(load, usage=usage), found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "starved"),
    [
        (graded(), False),
        (graded("error", IDLE), False),
        (graded("timeout", IDLE), True),
        (graded("done", IDLE, load="timeout"), True),
        (graded("timeout", SPENT), False),
        (graded("timeout", QUEUED), False),
        (graded("timeout", STARVED), True),
        (graded("timeout", Usage()), False),
    ],
)
def test_only_a_clock_that_ended_without_work_is_unfair(found: Graded, starved: bool) -> None:
    assert is_starved(found) is starved


@pytest.mark.parametrize(
    ("busy", "stopped", "first", "runs"),
    [
        (True, False, "timeout", 2),
        (False, False, "timeout", 1),
        (True, True, "timeout", 1),
        (True, False, "done", 1),
    ],
)
def test_it_runs_once_more_and_the_second_counts(
    busy: bool, stopped: bool, first: str, runs: int
) -> None:
    stop = threading.Event()
    if stopped:
        stop.set()
    turns = Turns(stop, lambda: busy)
    answers = [graded(first, IDLE), graded("timeout", IDLE)]
    given: list[Graded] = []

    def grade() -> Graded:
        given.append(answers[len(given)])
        return given[-1]

    assert turns.grade(grade) is given[-1]
    assert (len(given), turns.again) == (runs, runs - 1), "never a third time"


def test_alone_is_alone_and_everybody_comes_through() -> None:
    """Eight at a time, each of which idles at first: nothing else runs beside a second run."""
    turns = Turns(threading.Event(), lambda: True)
    lock, running, beside = threading.Lock(), [0], []
    together = threading.Barrier(8)

    def one(_: int) -> Graded:
        times = [0]

        def grade() -> Graded:
            times[0] += 1
            with lock:
                running[0] += 1
            if times[0] == 1:
                together.wait(60)  # all eight are in their first run
                found = graded("timeout", IDLE)
            else:
                beside.append(running[0])
                found = graded()
            with lock:
                running[0] -= 1
            return found

        return turns.grade(grade)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(8)))
    assert beside == [1] * 8 and turns.again == 8
    assert not any(map(is_starved, found))


def test_nobody_begins_beside_who_is_alone() -> None:
    turns = Turns(threading.Event(), lambda: True)
    alone, seen, begun = threading.Event(), [], threading.Event()

    def late() -> Graded:
        seen.append(alone.is_set())
        return graded()

    def come() -> None:
        begun.set()
        turns.grade(late)

    other = threading.Thread(target=come)
    answers = iter([graded("timeout", IDLE)])

    def grade() -> Graded:
        first = next(answers, None)
        if first is not None:
            return first
        alone.set()
        other.start()
        begun.wait(60)
        other.join(0.2)  # as long as a mistake would need to show; a right one waits for us
        alone.clear()
        return graded()

    turns.grade(grade)
    other.join(60)
    assert seen == [False]


def test_who_fails_alone_leaves_the_way_free() -> None:
    turns = Turns(threading.Event(), lambda: True)
    answers = iter([graded("timeout", IDLE)])
    with pytest.raises(StopIteration):
        turns.grade(lambda: next(answers))
    assert turns.grade(graded) is not None


def test_a_class_on_a_busy_machine_keeps_its_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Fake):
        """Grades as `Fake`, and finds at first that a clock has ended for whoever idles."""

        def grade(self, s: Submission, /) -> Graded:
            again = s.student in self.seen
            found = super().grade(s)
            if "idle" not in s.program.text or again:
                return found
            return Graded(found.result, LoadReport("timeout", usage=IDLE), found.evidence)

    monkeypatch.setattr(fairness, "is_busy", lambda: True)
    class_ = [submission("a", "idle = 1"), submission("b", "x = 2")]
    slow = Slow()
    done = batch.run(slow, class_, [], tmp_path / "busy", jobs=2)
    assert sorted(slow.seen) == ["a", "a", "b"] and done.again == 1
    calm = batch.run(Fake(), class_, [], tmp_path / "calm")
    assert calm.again == 0
    table = "grades.csv"
    assert (tmp_path / "busy" / table).read_bytes() == (tmp_path / "calm" / table).read_bytes()
    results = Path("results/a/04-training-loop.json")
    assert (tmp_path / "busy" / results).read_bytes() == (tmp_path / "calm" / results).read_bytes()
