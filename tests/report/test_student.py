"""What a student reads first: each cause once, in an order that pays, in points that add up."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest

from autograder.checks import registry
from autograder.checks.base import Calibration, Context, HiddenData
from autograder.checks.judge import _unmet
from autograder.course.config import Assignment, CheckSpec
from autograder.model import (
    AlsoSeen,
    CheckResult,
    Evidence,
    Program,
    Result,
    Status,
    Visibility,
)
from autograder.report import markdown, student
from autograder.report.student import Look, Seen, Work, work
from tests.report.test_pages import EVIL, check, course, result

CODE = "\n".join(f"x{k} = {k}" for k in range(1, 20))
SCRIPT = Program("script", "x.py", (CODE,))
FAILED = Status.FAILED


def looked(
    *checks: CheckResult, hidden: str = "full", seen: Seen | None = None, **more: object
) -> Work:
    return work(result("ann", *checks, **more), seen or Seen(), course(hidden))


def rests(name: str, on: CheckResult, worth: float) -> CheckResult:
    """A check that the judge did not look at, since it rests on another."""
    spec = CheckSpec(
        id=name, use="x", title=f"title of {name}", task=1, points=worth, needs=(on.id,)
    )
    unmet = _unmet(spec, {on.id: on})
    assert unmet is not None
    return check(name, unmet.status, message=unmet.message, max_score=worth)


def test_one_cause_is_one_entry_and_each_message_is_told_once() -> None:
    bugs = {"bugs": ("missing_zero_grad",), "help": "it adds"}
    found = looked(
        check("a", FAILED, message="left over", **bugs),
        check("b", FAILED, message="left over", **bugs),
        check("c", FAILED, message="still there", **bugs),
        check("d", FAILED, message="not written yet", help="one"),
        check("e", FAILED, message="not written yet", help="two"),
        check("f"),
    )
    first, second = found.mend
    assert (first.title, first.more, first.wins) == ("title of a", 2, 6.0)
    assert [(s.text, len(s.titles)) for s in first.said] == [("left over", 2), ("still there", 1)]
    assert first.help == "it adds"
    assert second.more == 1 and second.help == "one\n\ntwo"


@pytest.mark.parametrize(("hidden", "shown"), [("full", True), ("title", False), ("none", False)])
def test_what_the_own_run_also_showed_stands_with_its_line(hidden: str, shown: bool) -> None:
    here = AlsoSeen("eval_augmented", "the images change", line=3)
    beside = AlsoSeen("missing_step", "none came", file="loops.py", line=3)
    found = looked(
        check("a"), hidden=hidden, seen=Seen(program=SCRIPT), also_seen=(here, beside), score=2.0
    )
    assert found.mend == () and len(found.also) == 2 * shown
    if shown:
        first, second = found.also
        assert first.text == "eval_augmented: the images change (line 3)"
        assert first.code is not None and first.code.where == "line 3"
        assert second.text == "missing_step: none came (in loops.py, line 3)"
        assert second.code is None, "the line is another file's"


def test_first_what_others_rest_on_then_what_wins_most() -> None:
    low = check("low", FAILED, message="1", max_score=0.5)
    root = check("root", FAILED, message="2", max_score=1.0)
    high = check("high", FAILED, message="3", max_score=4.0)
    second = rests("second", root, 2.0)
    third = rests("third", second, 3.0)  # through the second
    found = looked(low, high, root, second, third)
    assert [c.title for c in found.mend] == ["title of root", "title of high", "title of low"]
    assert (found.mend[0].wins, found.mend[0].opens) == (1.0, 5.0)
    assert student.promise(found.mend[0]) == "1 point, and opens checks worth 5 more"
    assert student.promise(found.mend[2]) == "0.5 points"
    assert [c.id for c in found.waiting] == ["second", "third"]


def test_what_is_open_or_ours_or_full_is_nothing_to_mend() -> None:
    kept = [
        check(s.value, s, message="m")
        for s in (Status.PASSED, Status.BY_HAND, Status.DEFERRED, Status.UNGRADABLE)
    ]
    free = check("free", FAILED, message="seen", max_score=0.0, bugs=("eval_shuffled",))
    found = looked(*kept, free)
    assert found.mend == () and found.again == ""
    assert [s.text for s in found.also] == ["seen"]


def test_the_code_stands_beside_what_is_said_of_it() -> None:
    line = check("a", Status.ERROR, message="your code raised ValueError at line 7: no")
    (cause,) = looked(line, seen=Seen(program=SCRIPT)).mend
    code = cause.said[0].code
    assert code is not None and [one.text for one in code.lines if one.meant] == ["x7 = 7"]
    assert "```python\n" in markdown.comment([Look(looked(line, seen=Seen(program=SCRIPT)))])


@pytest.mark.parametrize("hidden", ["full", "title", "none"])
def test_points_add_up_whatever_is_shown(hidden: str) -> None:
    dice = random.Random(11)
    for _ in range(60):
        own = [
            check(
                f"c{k}",
                status := dice.choice(list(Status)),
                task=dice.randrange(3),
                visibility=dice.choice(list(Visibility)),
                score={Status.PASSED: 2.0, Status.PARTIAL: 0.75}.get(status, 0.0),
            )
            for k in range(dice.randrange(1, 12))
        ]
        counted = [c for c in own if c.status not in (Status.BY_HAND, Status.DEFERRED)]
        score, most = sum(c.score for c in counted), sum(c.max_score for c in counted)
        lines = looked(*own, hidden=hidden, score=score, max_score=most).sums
        pairs = [tuple(map(float, value.split(" of "))) for _, value in lines]
        assert sum(got for got, _ in pairs) == score and sum(m for _, m in pairs) == most
        names = [name for name, _ in lines]
        assert ("hidden checks" in names) <= (hidden == "none")


def test_lateness_and_a_persons_word_are_lines_of_the_sum() -> None:
    from autograder.model import Lateness

    r = result("ann", check("a"), check("b", FAILED), late=Lateness(3.0, late=True, deducted=0.5))
    lines = dict(work(replace(r, score=2.5), Seen(), None).sums)
    assert lines == {
        "Task 1": "2 of 4",
        "for lateness": "−0.5",  # noqa: RUF001 - a minus sign
        "by a person, about the whole": "+1",
    }


@pytest.mark.parametrize("hidden", ["title", "none"])
def test_what_rests_on_hidden_evidence_is_shown_in_full_only(hidden: str) -> None:
    returned = [
        {"function": "f", "letter": 0, "depth": 0, "returned": {"value": v}} for v in (1, 2)
    ]
    data = {"letters": "zfbs" * 5, "spans": returned, "calls": [], "dirty": []}
    said = "61.0% of 300 hidden images; full marks from 86.3%"
    line = check("acc", Status.PARTIAL, value=0.61, message=said, bugs=("missing_zero_grad",))
    told = looked(line, seen=Seen(evidence=(data,)))
    assert told.loops and told.curves and told.accuracies and told.mend[0].bugs
    less = looked(line, hidden=hidden, seen=Seen(evidence=(data,)))
    assert not less.loops and not less.curves and not less.accuracies
    assert not any(c.bugs or c.said or c.help for c in less.mend)


def test_what_a_check_drives_is_no_run_of_the_students() -> None:
    def spans(depth: int) -> dict[str, object]:
        return {
            "spans": [
                {"function": "fit", "depth": depth, "returned": {"value": v}} for v in (2.5, 1.5, 1)
            ]
        }

    assert [c.values for c in looked(check("a"), seen=Seen(evidence=(spans(0),))).curves] == [
        (2.5, 1.5, 1)
    ]
    assert looked(check("a"), seen=Seen(evidence=(spans(1),))).curves == ()


def test_the_band_is_the_one_that_the_judge_speaks_of(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = CheckSpec(id="acc", use="accuracy", title="T", task=1, points=2.0)
    images, labels = np.zeros((10, 4), np.float32), np.arange(10)
    assignment = Assignment.model_validate(
        {"id": "a", "title": "T", "version": 1, "module": "m", "checks": []}
    )
    accuracy = registry()["accuracy"]
    hidden = HiddenData("digits", "f", images, labels)
    context = Context(assignment, accuracy.filled(spec), hidden, Calibration((), 0.863, 0.482))
    for right in (10, 6, 2):
        monkeypatch.setattr("autograder.checks.accuracy.accuracy_of", lambda *_, n=right: n / 10)
        outcome = accuracy.judge(context, {"main": Evidence("done")})
        line = check("acc", outcome.status, value=outcome.value, message=outcome.message)
        (found,) = student.accuracies_of([line])
        assert (found.value, found.threshold) == (right / 10, 0.863)
        assert found.floor == (pytest.approx(0.482) if right == 2 else None)


def test_a_long_message_ends_at_a_word_and_says_so() -> None:
    text = " ".join(f"word{k}" for k in range(900))
    told = student.shortened(text)
    head, _, tail = told.partition(" … ")
    assert text.startswith(head + " ") and len(head) <= student.MESSAGE_CAP
    assert tail == f"({len(text) - len(head):,} more characters)"
    assert student.shortened("short\n text") == "short text"


def test_a_comment_shows_hostile_text_as_text() -> None:
    evil = f"{EVIL} [x](javascript:y) **b** ``` # h\n\n- i `<b>` |"
    line = check("a", FAILED, title=evil, message=evil, help=evil, bugs=("missing_zero_grad",))
    r = result(evil, line, notes=(evil,))
    text = markdown.comment([Look(work(r, Seen(), None))])
    assert not re.search(r"(?<![`\\])<|[\x00-\x08\x1b\u202e]", re.sub("`[^`]*`", "", text))
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)\*\*b", text)


def test_how_to_hand_in_again_names_the_place_and_the_time() -> None:
    lost = check("a", FAILED, message="m")
    assert "hand it in again as before" in looked(lost).again
    there = looked(lost, origin={"tool": "canvas"}).again
    assert "hand it in again in Canvas" in there
    for status, notes, told in (
        ("missing", (), False),
        ("ungradable", ("the grader failed",), False),
        ("ungradable", ("not taken in: two programs",), True),
    ):
        r = result("ann", status=status, notes=notes)
        assert bool(work(r, Seen(), None).again) == told
    odd: Result = result("ann", lost, origin={"tool": ["x"]})
    assert "as before" in work(odd, Seen(), None).again


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("adds to `.grad`; it never", "adds to `.grad`; it never"),
        ("- no list", "\\- no list"),
        ("1. no list", "1\\. no list"),
        ("10.0% of 300", "10.0% of 300"),
        ("a_b *c* [x](y) <i> & | #", "a\\_b \\*c\\* \\[x\\](y) &lt;i\\> &amp; \\| \\#"),
        ("see http://x.org", "see http\\://x.org"),
    ],
)
def test_prose_keeps_its_words_and_loses_its_markup(text: str, shown: str) -> None:
    assert markdown.prose(text) == shown
