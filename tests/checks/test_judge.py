"""Judging without a box: statuses, dependencies, points, and whose fault a failure is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from autograder.checks import judge
from autograder.checks.base import Context, StandardCheck, field_of, require, tensor_of
from autograder.checks.judge import World, validate
from autograder.course import config
from autograder.errors import ConfigError, GraderError
from autograder.grading.grader import regrade
from autograder.model import (
    ErrorInfo,
    Evidence,
    LoadReport,
    Outcome,
    ProbeRequest,
    Status,
    total,
)
from autograder.results import files


def asks(ctx: Context) -> Mapping[str, ProbeRequest]:
    secret = {"secret": int(ctx.rng("x").integers(2**31))} if ctx.submission else {}
    return {"main": ProbeRequest("values:call", {"name": ctx.option("name"), **secret})}


def says(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    value = field_of(require(evidence["main"]), "value", float)
    if value == 1.0:
        return Outcome.passed()
    return (
        Outcome.partial(value, "not all of it") if value else Outcome.failed("none", "wrong_value")
    )


def breaks(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    raise ZeroDivisionError("our own")


def trusts(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """A judge that looks at nothing first: an index, a division, a shape."""
    numbers = evidence["main"].data["value"]
    return Outcome.passed() if 6 / numbers[2] == 2 else Outcome.failed("not two")


CHECKS = MappingProxyType(
    {
        "says": StandardCheck("says", asks, says, "general help", ("wrong_value",)),
        "breaks": StandardCheck("breaks", asks, breaks, "general help"),
        "trusts": StandardCheck("trusts", asks, trusts, "general help"),
    }
)


@pytest.fixture(autouse=True)
def small_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "registry", lambda: CHECKS)


def world(*checks: dict[str, Any]) -> World:
    specs = [{"title": c["id"], "task": 1, "points": 2, "use": "says", **c} for c in checks]
    raw = {"id": "t", "title": "T", "version": 1, "module": "m", "checks": specs}
    return World(config.Assignment.model_validate(raw))


def value(x: float) -> Evidence:
    return Evidence("done", {"value": x})


def judged(w: World, *answers: Evidence, load: LoadReport | None = None) -> Any:
    left = list(answers)
    return judge.judge(w, load or LoadReport("done"), lambda request: left.pop(0))


def test_points_follow_the_outcome() -> None:
    w = world({"id": "a"}, {"id": "b"}, {"id": "c"})
    a, b, c = judged(w, value(1.0), value(0.25), value(0.0))
    assert [(x.status, x.score) for x in (a, b, c)] == [
        (Status.PASSED, 2),
        (Status.PARTIAL, 0.5),
        (Status.FAILED, 0),
    ]
    assert c.bugs == ("wrong_value",) and c.help and a.help == ""
    assert total((a, b, c)) == (2.5, 6, True)


@pytest.mark.parametrize(
    ("evidence", "status", "bugs", "said"),
    [
        (Evidence("timeout", detail="2 s"), Status.TIMEOUT, (), "2 s"),
        (Evidence("memory", detail="300 MiB"), Status.MEMORY, (), "300 MiB"),
        (Evidence("output", detail="16 MiB"), Status.ERROR, (), "16 MiB"),
        (Evidence("crash", detail="signal 9"), Status.ERROR, (), "signal 9"),
        (Evidence("error", error=ErrorInfo("KeyError", "k", 3)), Status.ERROR, (), "line 3"),
        (
            Evidence("error", error=ErrorInfo("MissingName", "'f' is not defined")),
            Status.FAILED,
            ("missing_name",),
            "'f' is not defined",
        ),
        (
            Evidence("error", error=ErrorInfo("NotImplementedError", "")),
            Status.FAILED,
            (),
            "not written yet",
        ),
        (Evidence("done", {"value": "1.0"}), Status.ERROR, (), "tampered"),
        (Evidence("done", {"value": True}), Status.ERROR, (), "tampered"),
        (Evidence("done", {}), Status.ERROR, (), "tampered"),
    ],
)
def test_what_is_not_an_answer_ends_the_check(
    evidence: Evidence, status: Status, bugs: tuple[str, ...], said: str
) -> None:
    (found,) = judged(world({"id": "a"}), evidence)
    assert (found.status, found.score, found.bugs) == (status, 0, bugs)
    assert said in found.message


def test_what_rests_on_a_failed_check_is_not_asked() -> None:
    w = world({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c", "needs": ["b"]})
    a, b, c = judged(w, value(0.0))
    assert [x.status for x in (a, b, c)] == [Status.FAILED, Status.NOT_CHECKED, Status.NOT_CHECKED]
    assert "rests on “a”" in b.message


@pytest.mark.parametrize("status", ["timeout", "memory", "output", "crash"])
def test_a_program_that_never_ended_is_not_probed(status: Any) -> None:
    load = LoadReport(status, detail="the figure")
    (found,) = judged(world({"id": "a"}), load=load)
    assert found.score == 0 and "the figure" in found.message
    assert found.status is not Status.PASSED


def test_a_bug_that_nobody_knows_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    slip = replace(CHECKS["says"], judge=lambda ctx, e: Outcome.failed("none", "wrong_valeu"))
    monkeypatch.setattr(judge, "registry", lambda: {"says": slip})
    (c,) = judged(world({"id": "a"}), value(0.0))
    assert (c.status, c.bugs) == (Status.UNGRADABLE, ())
    assert "wrong_valeu" in c.message


def test_our_own_fault_is_never_a_zero() -> None:
    (found,) = judged(world({"id": "a", "use": "breaks"}), value(1.0))
    assert found.status is Status.UNGRADABLE and "ZeroDivisionError" in found.message
    assert total((found,))[2] is False


RIGHT = Evidence("done", {"value": [1, 2, 3]})
ODD = [{}, {"value": [1, 2]}, {"value": [1, 2, 0]}, {"value": 3}, {"value": [1, 2, "3"]}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_judge_that_raises_over_evidence_costs_that_check(odd: dict[str, Any]) -> None:
    w = world({"id": "a", "use": "trusts"}, {"id": "b"})
    told = [Evidence("done", odd), value(1.0)]
    w = replace(w, reference=lambda r: RIGHT)
    a, b = judge.judge(w, LoadReport("done"), lambda r: told.pop(0))
    assert (a.status, a.score, b.score) == (Status.ERROR, 0, 2)
    assert "Error" in a.flag and "Error" not in a.message and "a person" in a.message
    assert total((a, b)) == (2, 4, True)


def raising(request: ProbeRequest) -> Evidence:
    raise ValueError("the box is on fire")


def test_without_the_references_credit_it_stays_our_fault() -> None:
    """None there, one that cannot be run, one that the judge raises over or does not credit."""
    w = world({"id": "a", "use": "trusts"})
    wrong = (
        lambda r: Evidence("done", {"value": [1, 2, 4]}),
        lambda r: Evidence("done"),
        lambda r: Evidence("crash", detail="gone"),
    )
    for reference in (None, raising, *wrong):
        w = replace(w, reference=reference)
        (a,) = judge.judge(w, LoadReport("done"), lambda r: Evidence("done"))
        assert a.status is Status.UNGRADABLE and not a.flag
    (a,) = judge.judge(replace(w, reference=raising), LoadReport("done"), lambda r: RIGHT)
    assert a.status is Status.PASSED, "the reference is asked only where a judge raises"


def test_whatever_asking_raises_is_our_fault() -> None:
    with pytest.raises(GraderError, match="on fire"):
        judge.judge(world({"id": "a"}), LoadReport("done"), raising)


def test_a_flag_is_kept_and_shown_to_a_person() -> None:
    from autograder.model import Result
    from autograder.report import pages

    w = world({"id": "a", "use": "trusts"})
    w = replace(w, reference=lambda r: RIGHT)
    found = judge.judge(w, LoadReport("done"), lambda r: Evidence("done"))
    result = Result("t", "ann", "sha256:0", "graded", 0.0, 2.0, found)
    assert Result.from_json(result.to_json()) == result
    attention = pages._attention(result, [])
    assert attention is not None and "the judge raised over this evidence" in attention["why"]


def test_what_is_asked_depends_on_the_submission() -> None:
    from autograder.checks.base import VARIANTS

    w = world({"id": "a"})
    spec = w.assignment.checks[0]
    everyone = w.context(spec)
    own = [replace(w, submission=f"sha256:{i:064x}").context(spec) for i in range(200)]
    drawn = [int(c.rng("x").integers(2**62)) for c in own]
    assert len({*drawn, int(everyone.rng("x").integers(2**62))}) == 201
    assert drawn[3] == int(own[3].rng("x").integers(2**62))
    shared = {int(c.rng("x", shared=True).integers(2**62)) for c in own}
    assert len(shared) == VARIANTS and not shared & set(drawn)
    assert len({c.seed for c in own}) == VARIANTS and w.assignment.seed not in {c.seed for c in own}


def test_a_secret_word_changes_every_question() -> None:
    w = replace(world({"id": "a"}), submission="sha256:1")
    other = replace(w, assignment=w.assignment.model_copy(update={"secret": "s" * 32}))
    first, second = (x.context(x.assignment.checks[0]) for x in (w, other))
    assert first.seed != second.seed
    assert first.rng("x").integers(2**62) != second.rng("x").integers(2**62)


def test_what_was_graded_before_is_judged_by_what_all_were_asked() -> None:
    """Kept evidence says in its result's environment how its questions were drawn."""
    from autograder.grading.grader import SECRETS

    w = world({"id": "a"})
    old = {asks(w.context(w.assignment.checks[0]))["main"].digest: value(1.0)}
    own = replace(w, submission="sha256:7")
    new = {asks(own.context(w.assignment.checks[0]))["main"].digest: value(0.5)}
    loaded = LoadReport("done")
    assert regrade(w, "sha256:7", "ann", loaded, old).score == 2
    again = regrade(w, "sha256:7", "ann", loaded, new, environment={"secrets": SECRETS})
    assert again.score == 1


def test_a_box_that_fails_makes_the_submission_ungradable() -> None:
    result = regrade(world({"id": "a"}), "sha256:0", "ann", LoadReport("done"), {})
    assert result.status == "ungradable" and "grade this submission again" in result.notes[0]


def test_the_grader_error_of_a_box_passes_through() -> None:
    def ask(request: ProbeRequest) -> Evidence:
        raise GraderError("gone")

    with pytest.raises(GraderError):
        judge.judge(world({"id": "a"}), LoadReport("done"), ask)


def test_the_same_question_has_the_same_digest_and_another_another() -> None:
    w = world({"id": "a", "with": {"name": "f"}}, {"id": "b", "with": {"name": "g"}})
    a, b = (asks(w.context(s))["main"] for s in w.assignment.checks)
    assert a.digest == asks(w.context(w.assignment.checks[0]))["main"].digest != b.digest


def test_an_unknown_check_is_refused_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match=r"which is no check.*breaks, says"):
        validate(world({"id": "a", "use": "nothing"}).assignment)


def test_tensors_of_another_shape_are_refused() -> None:
    import numpy as np

    evidence = Evidence("done", {}, {"w": np.zeros((2, 3))})
    assert tensor_of(evidence, "w", (2, None)).shape == (2, 3)
    for name, shape in (("w", (3, 2)), ("w", (6,)), ("v", None)):
        with pytest.raises(Exception, match="tampered"):
            tensor_of(evidence, name, shape)


# -- what the place of grading does not have -----------------------------------------------------

LACKS = ("the module 'sklearn'",)


@pytest.mark.parametrize(
    "evidence",
    [
        value(0.0),
        value(0.5),
        Evidence("error", error=ErrorInfo("AbsentModule", "needs the module 'sklearn'", 3)),
        Evidence("error", error=ErrorInfo("MissingName", "'f' is not defined")),
        Evidence("done", {"value": None}),
        Evidence("timeout", detail="2 s"),
    ],
)
def test_what_a_missing_module_leaves_open_is_no_zero(evidence: Evidence) -> None:
    w = world({"id": "a"}, {"id": "b", "needs": ["a"]}, {"id": "c"})
    a, b, c = judged(w, replace(evidence, needs=LACKS), value(1.0))
    assert (a.status, a.bugs, a.help) == (Status.UNGRADABLE, (), "")
    assert "the module 'sklearn'" in a.message and "modules:" in a.message
    assert (b.status, b.message) == (Status.UNGRADABLE, a.message)  # nor is what rests on it
    assert c.status is Status.PASSED and not total((a, b, c))[2]


def test_what_is_right_all_the_same_is_passed() -> None:
    (found,) = judged(world({"id": "a"}), replace(value(1.0), needs=LACKS))
    assert (found.status, found.score) == (Status.PASSED, 2)


def test_what_was_not_looked_at_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def asks_twice(ctx: Context) -> Mapping[str, ProbeRequest]:
        return {"main": ProbeRequest("a:b"), "second": ProbeRequest("c:d")}

    check = StandardCheck("says", asks_twice, says, "", ("wrong_value",))
    monkeypatch.setattr(judge, "registry", lambda: {"says": check})
    answers = {"a:b": value(0.0), "c:d": replace(value(0.0), needs=LACKS)}
    (found,) = judge.judge(world({"id": "a"}), LoadReport("done"), lambda r: answers[r.probe])
    assert found.bugs == ("wrong_value",)


def test_a_person_is_told_why_they_are_asked() -> None:
    w = world({"id": "a"}, {"id": "b"}, {"id": "c"})
    load = LoadReport("done")
    answer = replace(value(0.0), needs=("an answer to input('Epochs: ')",))
    probe = CHECKS["says"].requests
    requests = [probe(w.context(s))["main"] for s in w.assignment.checks]
    found = regrade(w, "d", "ada", load, {r.digest: answer for r in requests})
    assert found.status == "ungradable" and found.bugs == ()
    said = files.summary(found)
    assert said.startswith("3 checks: the program needs an answer to input('Epochs: ')")
    assert "modules:" not in said


def test_code_that_python_cannot_read_is_that_and_nothing_else() -> None:
    error = ErrorInfo("SyntaxError", "invalid character: number 6 of the line is U+00A0", 3)
    load = LoadReport("done", (error,), data={"unread": True})
    a, b = judged(world({"id": "a"}, {"id": "b", "needs": ["a"]}), load=load)
    for found in (a, b):
        assert (found.status, found.score, found.bugs) == (Status.ERROR, 0, ())
        assert "SyntaxError at line 3" in found.message and "U+00A0" in found.message
