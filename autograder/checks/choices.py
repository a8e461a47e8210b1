"""Questions with a closed list of answers: a global of the program holds what was chosen.

    ANSWERS = {"q1": "b", "q2": None}      use: choice, with: {variable: ANSWERS, key: q1, …}
    CULPRIT = "a batch"                    use: choice, with: {variable: CULPRIT, …}

Each wrong answer stands for a way of thinking, and says what is wrong with it; what is on no list
is told apart from what was not answered yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bugs import BUGS
from ..model import Evidence, Outcome, Visibility
from .answers import Answer, read
from .base import Context, Malformed, Option, check, probe, require

_SEEN = 60
"""Characters of an answer that is on no list, in the message."""


def _word(value: object) -> str:
    """An answer as it is compared: its text without blanks around it, whatever its capitals."""
    return str(value).strip().casefold()


def _chosen(answer: Answer, key: Any) -> Answer | None:
    """What is held under a key; None where there is nothing."""
    if key is None:
        return answer
    if answer.kind == "dict":
        return answer.keys.get(str(key))
    items = answer.sequence()
    at = key if isinstance(key, int) and not isinstance(key, bool) else -1
    return items[at] if items is not None and 0 <= at < len(items) else None


def _text(answer: Answer) -> str:
    if answer.kind == "text":
        return _word(answer.text)
    if answer.kind == "bool" and answer.array is not None:
        return _word(bool(answer.array.item()))
    if answer.kind in ("number", "tensor", "array") and answer.array is not None:
        return f"{answer.array.item():g}" if answer.array.size == 1 else ""
    return ""


def _wrong(ctx: Context) -> dict[str, tuple[str, str]]:
    """The wrong answers, each with what is said of it and the bug it names."""
    found: dict[str, tuple[str, str]] = {}
    for name, told in dict(ctx.option("wrong")).items():
        says, bug = (told.get("says"), told.get("bug")) if isinstance(told, Mapping) else (told, "")
        found[_word(name)] = (str(says or ""), str(bug or ""))
    return found


def _right(ctx: Context) -> list[str]:
    stated = ctx.option("right")
    return [_word(one) for one in (stated if isinstance(stated, list) else [stated])]


def _examine(ctx: Context) -> None:
    if ctx.spec.visibility is Visibility.PUBLIC:
        raise Malformed("is public, and would show its answer", "make it hidden")
    wrong = _wrong(ctx)
    both = sorted(set(wrong) & set(_right(ctx)))
    if both:
        raise Malformed(f"has the answer '{both[0]}' as right and wrong", "list it once")
    for says, bug in wrong.values():
        if not says:
            raise Malformed("has a wrong answer without a text", "say what is wrong with it")
        if bug and bug not in BUGS:
            raise Malformed(f"names the unknown bug '{bug}'", "use an id of docs/bugs.md")


@check(
    family="choice",
    help="Put away the answers, and work out the question with an example of your own.",
    bugs=("missing_name",),
    options=(
        Option("variable", str, "the global that holds the answer", "ANSWERS"),
        Option("key", (str, int), "under which it holds it, where it is a dictionary or a list"),
        Option(
            "right", (str, int, float, bool, list), "the right answer, or all of them", needed=True
        ),
        Option(
            "wrong",
            dict,
            "the wrong answers, each with a text for whoever gives it, or {says: text, bug: id}",
            needed=True,
        ),
    ),
    examine=_examine,
    main=lambda ctx: probe("calls:look", {"name": ctx.option("variable")}),
)
def choice(ctx: Context, main: Evidence) -> Outcome:
    """Whether the right one of a list of answers was chosen."""
    held = read(require(main).data.get("value"), main)
    key, name = ctx.option("key"), str(ctx.option("variable"))
    place = name if key is None else f"{name}[{key!r}]"
    chosen = _chosen(held, key)
    if chosen is None:
        return Outcome.failed(f"{place} is not there: {name} is {held.words}", "missing_name")
    text = _text(chosen)
    if chosen.kind in ("none", "other") or not text:
        return Outcome.failed(f"{place} has no answer yet: it is {chosen.words}")
    if text in _right(ctx):
        return Outcome.passed()
    wrong = _wrong(ctx)
    if text in wrong:
        says, bug = wrong[text]
        return Outcome.failed(f"{place}, {chosen.words}: {says}", *([bug] if bug else []))
    return Outcome.failed(
        f"{place} is {chosen.words[:_SEEN]}, which is none of the answers offered"
    )
