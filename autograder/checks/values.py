"""Values: what a function gives, or an object's methods in a given order, held to what is right.

What is right is what the reference solution gives for the same secret inputs, computed once in a
box (`Context.right`); or the assignment states it, as examples for students have to. So a task that
asks for a function needs no judge of its own: its inputs, and whatever else is asked of it (an
untouched input, a gradient, a refusal), are options.

One run of a probe answers all checks of one function on the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..bugs import BUGS
from ..course.config import did_you_mean
from ..errors import GraderError
from ..model import Evidence, Outcome, ProbeRequest, Status, Visibility
from . import own
from .answers import TAMPERED, Answer, Difference, Within, compare, read, stated
from .base import Context, Inconclusive, Malformed, Option, check, field_of, place, require
from .calls import Case, Packer, Run, as_python, example, floats_in, words_of

CASES = "cases"
INPUTS = (
    Option(CASES, str, "the function of checks.py that draws the secret inputs from a generator"),
    Option("examples", list, "inputs with their right answers, for everybody to read"),
)
RULES = (
    Option("compare", bool, "whether the values are compared at all", default=True),
    Option("tolerance", float, "relative, in place of 1e-9 (float64) or 1e-5 (float32)"),
    Option("untouched", bool, "whether the inputs have to stay as they were"),
    Option("plain", bool, "whether numbers have to be Python's, and no tensors"),
    Option("borrowed", list, "what of PyTorch may not run within, as `logsumexp` or `optim.Adam`"),
    Option("named", list, "known mistakes: {how: function of checks.py, bug: id, says: text}"),
    Option("bug", str, "what a wrong value is called where no known mistake fits", "wrong_value"),
)
NAMED = (
    "missing_name",
    "wrong_shape",
    "wrong_value",
    "numerically_unstable",
    "mutates_input",
    "borrowed",
    "graph_cut",
    "inplace_autograd_error",
    "loss_graph_accumulated",
)
_RAISED = (
    ("inplace_autograd_error", "modified by an inplace operation"),
    ("inplace_autograd_error", "is being used in an in-place operation"),
    ("graph_cut", "does not require grad and does not have a grad_fn"),
)
"""What autograd says, and which bug that is."""


# --- inputs ---------------------------------------------------------------------------------------


def _inputs(ctx: Context) -> list[Case | Run]:
    """The calls or runs of a check. Raises `Malformed` for examples that are none."""
    if ctx.option("examples"):
        return [example(raw) for raw in ctx.option("examples")]
    name = str(ctx.option(CASES))
    return list(ctx.names[name](ctx.rng(f"cases/{name}", shared=True)))


def _alike(ctx: Context, subject: str) -> list[Mapping[str, Any]]:
    """The options of all checks of this assignment that ask about the same calls."""
    own_options = ctx.spec.options
    keys = (subject, CASES, "examples")
    return [
        c.options
        for c in ctx.assignment.checks
        if c.use == ctx.spec.use and all(c.options.get(k) == own_options.get(k) for k in keys)
    ] or [own_options]


def _call_request(ctx: Context) -> ProbeRequest:
    packer = Packer()
    calls = [packer.case(c) for c in _inputs(ctx) if isinstance(c, Case)]
    alike = _alike(ctx, "function")
    args: dict[str, Any] = {"function": ctx.option("function"), "calls": calls, "seed": ctx.seed}
    args["twice"] = any(o.get("twice") for o in alike)
    args["gradient"] = _differentiated([o.get("gradient") for o in alike])
    args["watch"] = any(o.get("borrowed") for o in alike)
    return ProbeRequest("calls:call", args, packer.tensors)


def _differentiated(asked: Sequence[Any]) -> bool | list[int]:
    """Which arguments gradients are asked for: all, none, or those at some positions."""
    if True in asked:
        return True
    return sorted({int(i) for positions in asked if positions for i in positions})


def _use_request(ctx: Context) -> ProbeRequest:
    packer = Packer()
    runs = [packer.run(r) for r in _inputs(ctx) if isinstance(r, Run)]
    args: dict[str, Any] = {"class": ctx.option("class"), "runs": runs, "seed": ctx.seed}
    args["watch"] = any(o.get("borrowed") for o in _alike(ctx, "class"))
    return ProbeRequest("calls:use", args, packer.tensors)


def _expects(make: Callable[[Context], ProbeRequest]) -> Callable[[Context], list[ProbeRequest]]:
    """The request whose right answers only the reference knows; none where all are stated."""

    def expected(ctx: Context) -> list[ProbeRequest]:
        return [] if all(c.stated for c in _inputs(ctx)) else [make(ctx)]

    return expected


def _right(ctx: Context, request: ProbeRequest, name: str) -> tuple[Evidence | None, list[Any]]:
    """What the reference said, one entry a case; (None, []) where all answers are stated."""
    if all(c.stated for c in _inputs(ctx)):
        return None, []
    evidence = ctx.right(request)
    entries = evidence.data.get(name)
    if evidence.status != "done" or not isinstance(entries, list):
        why = evidence.error or evidence.detail
        raise GraderError(
            f"the reference solution does not answer the check '{ctx.spec.id}': {why}",
            remedy="run the source as a script and mend it, or the check's cases",
        )
    return evidence, entries


# --- examining options ----------------------------------------------------------------------------


def _examine_inputs(ctx: Context, kind: type) -> None:
    names = ctx.names
    if ctx.spec.visibility is Visibility.PUBLIC:
        names = own.names(ctx.assignment, public=True)
    if bool(ctx.option(CASES)) == bool(ctx.option("examples")):
        raise Malformed(
            "needs one of the options 'cases' and 'examples'",
            "name a function of checks.py that draws inputs, or write examples",
        )
    used = [str(ctx.option(CASES))] if ctx.option(CASES) else []
    for one in ctx.option("named", ()):
        if not isinstance(one, Mapping) or not {"how", "bug"} <= set(one) <= {"how", "bug", "says"}:
            raise Malformed(
                "names a mistake in another form", "write - {how: function, bug: id, says: text}"
            )
        used.append(str(one["how"]))
        _known(str(one["bug"]))
    _known(str(ctx.option("bug")))
    where = own.PUBLIC if ctx.spec.visibility is Visibility.PUBLIC else own.CHECKS
    for name in used:
        if not callable(names.get(name)):
            raise Malformed(
                f"names '{name}', which {where} does not define", f"define it in {where}"
            )
    inputs = _inputs(ctx)
    if not inputs or not all(isinstance(c, kind) for c in inputs):
        form = "call(...)" if kind is Case else "run(call(...), do(...))"
        raise Malformed(f"has inputs that are not of the form {form}", f"give {form}")
    unstated = not all(c.stated for c in inputs)
    if unstated and (ctx.option("examples") or ctx.spec.visibility is Visibility.PUBLIC):
        raise Malformed(
            "has an example without its right answer",
            "add gives: or refused:; whoever checks their own work has no reference",
        )
    if ctx.option("gradient") and any(c.stated for c in inputs):
        raise Malformed("asks for gradients of examples", "draw the inputs in `cases`")


def _known(bug: str) -> None:
    if bug not in BUGS:
        near = did_you_mean(bug, BUGS).removeprefix("; ")
        raise Malformed(f"names the unknown bug '{bug}'", near or "use an id of docs/bugs.md")


# --- judging one answer ---------------------------------------------------------------------------


class _Rules:
    """The options of a check, as a judge asks for them."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.bug = str(ctx.option("bug"))
        self.compare = bool(ctx.option("compare"))

    def within(self, case: Case, right: Answer | None, tolerance: float | None = None) -> Within:
        """The tolerance of one call: stated for it, or for the check, or by its types."""
        asked = tolerance or case.tolerance or self.ctx.option("tolerance")
        dtypes = [*floats_in(list(case.args)), *floats_in(dict(case.kwargs))]
        dtypes += [p.dtype for p in right.parts() if p.dtype] if right is not None else []
        return Within.of(dtypes, None if asked is None else float(asked))

    def mistake(
        self, got: Sequence[Answer], right: Sequence[Answer], within: Within, case: Any
    ) -> tuple[str, str]:
        """The known mistake whose answers these are, as (bug, what to add to the message)."""
        for one in self.ctx.option("named", ()):
            made = self.ctx.names[one["how"]](*as_python(case))
            wrong = [stated(v) for v in (made if isinstance(case, Run) else [made])]
            fits = len(wrong) == len(got) and all(
                compare(w, g, within) is None for w, g in zip(wrong, got, strict=True)
            )
            if fits and any(compare(r, w, within) for r, w in zip(right, wrong, strict=True)):
                says = str(one.get("says", ""))
                return str(one["bug"]), f"; {says}" if says else ""
        return "", ""

    def bug_of(self, difference: Difference) -> str:
        return {"shape": "wrong_shape", "finite": "numerically_unstable"}.get(
            difference.kind, self.bug
        )


def _entry(entries: Sequence[Any], index: int) -> Mapping[str, Any]:
    if index >= len(entries) or not isinstance(entries[index], Mapping):
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))
    found: Mapping[str, Any] = entries[index]
    return found


def _error(words: str, error: Mapping[str, Any]) -> Outcome:
    """What a call that raised without need becomes."""
    message = str(error.get("message"))[:300]
    bugs = tuple(bug for bug, says in _RAISED if says in message)
    kind = str(error.get("type"))[:80]
    said = f"{words}: your code raised {kind}{place(error)}: {message}"
    return Outcome(Status.ERROR, 0.0, bugs[:1], said)


def _refused(words: str, want: str, told: Mapping[str, Any], bug: str) -> Outcome | None:
    """Whether a call raised the error it has to raise; None where it did."""
    error = told.get("raised")
    if not isinstance(error, Mapping):
        return Outcome.failed(f"{words} was accepted; it is to raise {want}", bug)
    classes = error.get("classes")
    if isinstance(classes, list) and want in classes:
        return None
    return Outcome.failed(
        f"{words} raised {str(error.get('type'))[:80]}{place(error)}; it is to raise {want}", bug
    )


def _form(rules: _Rules, words: str, got: Answer, right: Answer | None) -> Outcome | None:
    """What is asked of an answer beside its values."""
    option = rules.ctx.option
    if option("lazy") and not got.lazy:
        said = f"{words} gave {got.words}; a generator is asked for, which makes one item at a time"
        return Outcome.failed(said, rules.bug)
    if option("plain"):
        for one in got.parts():
            if one.kind in ("tensor", "array"):
                bug = "loss_graph_accumulated" if one.graph else rules.bug
                return Outcome.failed(f"{words} gave {one.type}s; plain numbers are asked for", bug)
    if option("no_graph") and any(one.graph for one in got.parts()):
        said = f"{words} gave a tensor that still hangs on its graph"
        return Outcome.failed(said, "loss_graph_accumulated")
    asked = option("dtype")
    if asked:
        want = asked if isinstance(asked, str) else right.dtype if right is not None else ""
        if want and got.dtype and got.dtype != want:
            said = f"{words} gave {got.dtype}, where {want} is asked for"
            return Outcome.failed(said, rules.bug)
    return None


def _touched(words: str, told: Mapping[str, Any]) -> Outcome | None:
    changed = told.get("touched")
    if not isinstance(changed, list) or not changed or not isinstance(changed[0], Mapping):
        return None
    name, what = str(changed[0].get("name"))[:80], str(changed[0].get("what"))[:40]
    said = {"values": "came back with other values"}.get(what, f"came back with another {what}")
    return Outcome.failed(f"after {words} the argument {name} {said}", "mutates_input")


def _borrowed(ctx: Context, words: str, told: Mapping[str, Any]) -> Outcome | None:
    ran = told.get("ran")
    wanted = {str(n).strip("_") for n in ctx.option("borrowed", ())}
    found = sorted(wanted & {str(n) for n in ran}) if isinstance(ran, list) else []
    if not found:
        return None
    listed = ", ".join(f"`{n}`" for n in found)
    return Outcome.failed(f"{words} had PyTorch do the task: {listed} ran within", "borrowed")


# --- value ----------------------------------------------------------------------------------------


def _examine_value(ctx: Context) -> None:
    _examine_inputs(ctx, Case)


@check(
    family="value",
    help="Work the example of the handout through by hand, and compare each step with your code.",
    bugs=NAMED,
    options=(
        Option("function", str, "the function that is called", needed=True),
        *INPUTS,
        *RULES,
        Option("dtype", (str, bool), "the type of the result; true: that of the reference's"),
        Option("refuses", str, "the error that every call has to raise"),
        Option(
            "gradient",
            (bool, list),
            "whether gradients of the result are compared, too: for every argument of floats, or "
            "for those at these positions, from 0",
        ),
        Option("no_graph", bool, "whether the result must hang on no graph"),
        Option("lazy", bool, "whether the result has to be an iterator"),
        Option("twice", bool, "whether a second call has to give the same again"),
    ),
    examine=_examine_value,
    expects=_expects(_call_request),
    main=_call_request,
)
def value(ctx: Context, main: Evidence) -> Outcome:
    """Whether a function gives what the reference gives, for secret inputs."""
    entries = field_of(require(main), "calls", list)
    reference, right = _right(ctx, _call_request(ctx), "calls")
    for i, case in enumerate(_inputs(ctx)):
        assert isinstance(case, Case)
        known = _entry(right, i) if reference is not None else {}
        wrong = _case(ctx, case, main, _entry(entries, i), reference, known)
        if wrong is not None:
            return wrong
    return Outcome.passed()


def _case(
    ctx: Context,
    case: Case,
    main: Evidence,
    told: Mapping[str, Any],
    reference: Evidence | None,
    known: Mapping[str, Any],
) -> Outcome | None:
    """What is wrong with one call, or None."""
    rules = _Rules(ctx)
    words = f"{ctx.option('function')}({words_of(case.args, case.kwargs)})"
    if borrowed := _borrowed(ctx, words, told):
        return borrowed
    refusal = case.refusal or str(ctx.option("refuses", ""))
    if not refusal and isinstance(known.get("raised"), Mapping):
        refusal = str(known["raised"].get("type"))
    if refusal:
        wrong = _refused(words, refusal, told, rules.bug) if rules.compare else None
        return wrong or (_touched(words, told) if ctx.option("untouched") else None)
    if isinstance(told.get("raised"), Mapping):
        return _error(words, told["raised"])
    got = read(told.get("returned"), main)
    right: Answer | None = None
    if case.stated:
        right = stated(case.answer)
    elif reference is not None:
        right = read(known.get("returned"), reference)
    within = rules.within(case, right)
    if rules.compare and right is not None:
        difference = compare(right, got, within)
        if difference is not None:
            bug, more = rules.mistake([got], [right], within, case)
            return Outcome.failed(
                f"{words} {difference.words}{more}", bug or rules.bug_of(difference)
            )
    if ctx.option("untouched") and (touched := _touched(words, told)):
        return touched
    if form := _form(rules, words, got, right):
        return form
    if ctx.option("twice"):
        again = compare(got, read(told.get("again"), main), within)
        if again is not None:
            bug = "mutates_input" if told.get("touched") else rules.bug
            return Outcome.failed(
                f"a second call of {words} gave another answer: {again.words}", bug
            )
    if ctx.option("gradient") and reference is not None:
        return _gradient(rules, words, within, main, told, reference, known)
    return None


def _gradient(
    rules: _Rules,
    words: str,
    within: Within,
    main: Evidence,
    told: Mapping[str, Any],
    reference: Evidence,
    known: Mapping[str, Any],
) -> Outcome | None:
    """Whether the gradients of a call's result are those of the reference's, input by input."""
    want, have = known.get("gradients"), told.get("gradients")
    if not isinstance(want, Mapping) or not want.get("graph"):
        raise GraderError(f"the reference's result of {words} has no gradients to compare with")
    if not isinstance(have, Mapping):
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))
    if isinstance(have.get("raised"), Mapping):
        return _error(f"the gradients of {words}", have["raised"])
    if not have.get("graph"):
        return Outcome.failed(f"the result of {words} hangs on no graph", "graph_cut")
    found = have.get("of")
    pairs = list(want["of"].items())
    if not isinstance(found, Mapping) or len(found) != len(pairs):
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))
    for (name, tree), other in zip(pairs, found.values(), strict=True):
        right, got = read(tree, reference), read(other, main)
        if right.kind == "none":
            continue
        if got.kind == "none":
            said = f"no gradient of {words} reaches {name}"
            return Outcome.failed(said, "graph_cut")
        difference = compare(right, got, within)
        if difference is not None:
            said = f"the gradient of {words} for {name} {difference.words}"
            return Outcome.failed(said, rules.bug_of(difference))
    return None


# --- object ---------------------------------------------------------------------------------------


def _examine_object(ctx: Context) -> None:
    _examine_inputs(ctx, Run)


@check(
    family="object",
    help="Follow the example of the handout step by step, and write down what each method leaves.",
    bugs=NAMED,
    options=(
        Option("class", str, "the class, or whatever makes the object", needed=True),
        *INPUTS,
        *RULES,
    ),
    examine=_examine_object,
    expects=_expects(_use_request),
    main=_use_request,
)
def object_(ctx: Context, main: Evidence) -> Outcome:
    """Whether an object does what the reference's does, its methods called in a secret order."""
    entries = field_of(require(main), "runs", list)
    reference, right = _right(ctx, _use_request(ctx), "runs")
    for i, one in enumerate(_inputs(ctx)):
        assert isinstance(one, Run)
        known = _entry(right, i) if reference is not None else {}
        wrong = _run(ctx, one, main, _entry(entries, i), reference, known)
        if wrong is not None:
            return wrong
    return Outcome.passed()


def _run(
    ctx: Context,
    one: Run,
    main: Evidence,
    told: Mapping[str, Any],
    reference: Evidence | None,
    known: Mapping[str, Any],
) -> Outcome | None:
    """What is wrong with one run of an object, or None."""
    rules = _Rules(ctx)
    words = f"{ctx.option('class')}({words_of(one.new.args, one.new.kwargs)})"
    if borrowed := _borrowed(ctx, words, told):
        return borrowed
    refusal = one.new.refusal
    if not refusal and isinstance(known.get("new"), Mapping):
        refusal = str(known["new"].get("type"))
    if refusal:
        return _refused(words, refusal, {"raised": told.get("new")}, rules.bug)
    if isinstance(told.get("new"), Mapping):
        return _error(words, told["new"])
    steps = told.get("steps")
    if not isinstance(steps, list) or len(steps) != len(one.steps):
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))
    if rules.compare:
        wrong = _steps(rules, words, one, main, steps, reference, known)
        if wrong is not None:
            return wrong
    return _touched(words, told) if ctx.option("untouched") else None


def _steps(
    rules: _Rules,
    words: str,
    one: Run,
    main: Evidence,
    steps: Sequence[Any],
    reference: Evidence | None,
    known: Mapping[str, Any],
) -> Outcome | None:
    """The first step whose answer is wrong."""
    right_steps = known.get("steps", []) if reference is not None else []
    got: list[Answer] = []
    right: list[Answer] = []
    fault: tuple[int, Difference, Within] | None = None
    for k, step in enumerate(one.steps):
        entry = _entry(steps, k)
        where = _where(words, one, k)
        want = _entry(right_steps, k) if reference is not None else {}
        if isinstance(want.get("raised"), Mapping):
            refused = _refused(where, str(want["raised"].get("type")), entry, rules.bug)
            if refused is not None:
                return refused
            continue
        if isinstance(entry.get("raised"), Mapping):
            return _error(where, entry["raised"])
        answer = read(entry.get("returned"), main)
        ours = (
            read(want.get("returned"), reference)
            if reference is not None
            else stated(one.answers[k])
        )
        if ours.kind == "none" and step.kind in ("call", "own"):
            continue  # a method that has nothing to give may give anything, as itself
        within = rules.within(one.new, ours, one.tolerance)
        got.append(answer)
        right.append(ours)
        difference = compare(ours, answer, within)
        if difference is not None and fault is None:
            fault = k, difference, within
        elif form := _form(rules, where, answer, ours):
            return form
    if fault is None:
        return None
    k, difference, within = fault
    bug, more = rules.mistake(got, right, within, one)
    said = f"{_where(words, one, k)} {difference.words}{more}"
    return Outcome.failed(said, bug or rules.bug_of(difference))


def _where(words: str, one: Run, k: int) -> str:
    """A step, with what was done before it."""
    before = [s.words for s in one.steps[:k]][-3:]
    dots = "…, " if k > 3 else ""
    after = f" after {dots}{', '.join(before)}" if before else ""
    return f"{words}{after}: {one.steps[k].words}"
