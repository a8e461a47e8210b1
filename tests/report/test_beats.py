"""The strip of beats: it marks what a judge named and the letters show, and nothing else."""

from __future__ import annotations

import random

import pytest

from autograder.report.beats import RIGHT, Loop, loops


def seen(letters: str, function: str = "train", *, dirty: float = 0.0) -> dict[str, object]:
    """The data of a trace in which one function made these letters."""
    calls = letters.count("f")
    return {
        "letters": letters + "|",
        "spans": [{"function": function, "letter": 0, "depth": 0}],
        "calls": [[8, 0, 1, 1, 1, 1] for _ in range(calls)],
        "dirty": [0.0] + [dirty] * (calls - 1),
    }


def told(*evidence: dict[str, object], bugs: str = "") -> list[Loop]:
    return loops(evidence, bugs.split())


def words(loop: Loop) -> str:
    """`zero_grad! forward`: a mark is an exclamation mark, what was not seen a question mark."""
    marks = {"lost": "!", "wrong": "!", "calm": "?", "": ""}
    return " ".join(b.name + marks[b.tone] for b in loop.beats)


@pytest.mark.parametrize(
    ("letters", "shown"),
    [
        ("zfbs" * 7, "zero_grad forward loss backward step"),
        ("fzbs" * 7, "forward zero_grad loss backward step"),
        ("fbsz" * 7, "zero_grad forward loss backward step"),
        ("n" + "zfbs" * 7, "zero_grad forward loss backward step"),
        ("fbs" * 7, "zero_grad forward loss backward step"),  # cleared by hand
        ("zfbfbfbs" * 3, "zero_grad forward loss backward step"),  # three batches a step
    ],
)
def test_a_right_loop_is_shown_as_it_is_and_has_no_mark(letters: str, shown: str) -> None:
    (loop,) = told(seen(letters))
    assert words(loop) == shown and not loop.marked and loop.functions == ("train",)


@pytest.mark.parametrize(
    ("letters", "dirty", "bug", "shown"),
    [
        ("fbs" * 7, 1.0, "missing_zero_grad", "zero_grad! forward loss backward step"),
        ("z" + "fbs" * 7, 1.0, "missing_zero_grad", "zero_grad! forward loss backward step"),
        ("zfs" * 7, 0.0, "missing_backward", "zero_grad forward loss? backward! step"),
        ("zfb" * 7 + "s", 0.0, "missing_step", "zero_grad forward loss backward step!"),
        ("fbzn" * 7, 0.0, "zero_grad_after_backward", "forward loss backward zero_grad! step"),
        ("zfnb" * 7, 0.0, "step_before_backward", "zero_grad forward step! loss backward"),
        ("n" + "zfbs" * 6, 0.0, "step_before_backward", "step! zero_grad forward loss backward"),
        ("zfbn" * 7, 0.0, "stale_optimizer", "zero_grad forward loss backward step!"),
        ("zfbs" * 7, 0.0, "sum_instead_of_mean", "zero_grad forward loss! backward step"),
        ("zfbs" * 7, 0.0, "missing_train_mode", "zero_grad forward! loss backward step"),
    ],
)
def test_what_the_judge_named_is_marked_where_it_was_seen(
    letters: str, dirty: float, bug: str, shown: str
) -> None:
    (loop,) = told(seen(letters, dirty=dirty), bugs=bug)
    assert words(loop) == shown


@pytest.mark.parametrize(
    ("letters", "dirty"),
    [
        ("fbs" * 7, 1.0),  # not cleared, and no judge complains
        ("zfs" * 7, 0.0),
        ("zfb" * 7, 0.0),  # a step by hand
        ("fbzn" * 7, 0.0),
        ("zfnb" * 7, 0.0),
        ("ffff", 0.0),  # an evaluation with a graph
        ("zfbs", 0.0),  # once is no loop
        ("zfbsffbzsbfzzsbf", 0.0),  # nothing repeats
        ("", 0.0),
    ],
)
def test_without_a_named_bug_nobody_is_accused(letters: str, dirty: float) -> None:
    assert told(seen(letters, dirty=dirty)) == []


def test_a_named_bug_marks_no_loop_in_which_it_is_not_seen() -> None:
    right, wrong = seen("zfbs" * 7, "first"), seen("fbs" * 7, "second", dirty=1.0)
    (loop,) = told(right, wrong, bugs="missing_zero_grad")
    assert loop.functions == ("second",) and loop.marked
    for bug in ("missing_zero_grad", "zero_grad_after_backward", "missing_backward"):
        (only,) = told(right, bugs=bug)
        assert not only.marked


def test_which_of_several_loops_has_the_wrong_loss_is_not_guessed() -> None:
    two = [seen("zfbs" * 7, "first"), seen("fbs" * 7, "second")]
    assert not any(loop.marked for loop in told(*two, bugs="sum_instead_of_mean"))


def test_loops_that_are_alike_are_shown_once() -> None:
    (loop,) = told(seen("zfbs" * 7, "fit"), seen("zfbs" * 5, "train"))
    assert loop.functions == ("fit", "train")


def test_a_function_of_one_step_is_read_over_its_calls() -> None:
    data: dict[str, object] = {
        "letters": "zfbs|zfbs|zfb|zfbs|zfbs|",
        "spans": [
            {"function": "step", "letter": k, "depth": 0, "returned": {}}
            for k in (0, 5, 10, 14, 19)
        ],
        "calls": [],
        "dirty": [],
    }
    (loop,) = told(data)
    assert words(loop) == " ".join(RIGHT)


def test_malformed_evidence_gives_nothing_and_raises_nothing() -> None:
    junk: list[object] = [None, 3, -1, 10**9, "x", [], {}, [[]], True, float("inf"), "zfbs" * 900]
    dice = random.Random(3)
    for _ in range(400):
        data = {k: dice.choice(junk) for k in ("letters", "spans", "calls", "dirty")}
        if dice.random() < 0.5:
            data["letters"] = "fbs" * 9
            span = {k: dice.choice(junk) for k in ("function", "letter", "depth", "returned")}
            data["spans"] = [span, dice.choice(junk)]
        for loop in loops([data], ["missing_zero_grad"]):
            assert all(len(f) <= 80 for f in loop.functions)
