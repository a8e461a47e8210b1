"""The list of all general checks as a page, made of what the checks declare: docs/checks.md.

python -m autograder.checks.page > docs/checks.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..model import Outcome
from . import registry
from .base import Option, StandardCheck
from .forms import RUN

INTRODUCTIONS: Mapping[str, str] = {
    "training": "A training loop, driven on secret images: each step that the weights take is "
    "explained by the gradients of its batch. State `function` and `arguments`, or `network` and "
    "`functions`.",
    "evaluation": "A function that measures the accuracy, driven in the same way.",
    "program": "A whole program, run on secret images.",
    "module": "A network by itself: what it answers to secret inputs, and what it registers.",
    "checkpoint": "The file that a program's run leaves behind.",
    "accuracy": "The trained model on images that nobody has seen, with a measured threshold.",
    "value": "A function on secret inputs, compared with the reference solution in `source/<id>/`; "
    "or examples with their answers. `autograder/checks/calls.py` says how inputs are written.",
    "object": "An object that is made and used in a secret order, compared step by step.",
    "figure": "What a matplotlib figure holds. `autograder/checks/figures.py` says how that is "
    "written.",
    "choice": "A question with a closed list of answers, in a global of the program.",
    "by_hand": "A text that a person reads.",
    "finding": "What `autograder watch` finds in the student's own run.",
}
OF_A_RUN = (
    "Said once of a program's run, usually by a YAML anchor, for all the checks that look at it; "
    "each takes what it needs."
)
HEAD = """\
# The checks

What `use:` (and `ask:`, where a family of checks asks several questions) of an `assignment.yml` may
name, and what `with:` may say. Made by `python -m autograder.checks.page > docs/checks.md` of what
the checks declare. What an assignment needs beside these it brings along itself: see
[Adding a check](adding-a-check.md). How they are put together,
[Your first assignment](your-first-assignment.md) shows.
"""


def page() -> str:
    """The whole page. Raises `KeyError` for a family without an introduction."""
    families: dict[str, list[StandardCheck]] = {}
    for one in registry().values():
        families.setdefault(one.family, []).append(one)
    unknown = set(families) - set(INTRODUCTIONS)
    if unknown:
        raise KeyError(f"no introduction to the checks {sorted(unknown)}")
    run = ["## Options of a run", "", OF_A_RUN, "", *_table(_options([_run()]))]
    parts = [HEAD, "\n".join([*run, ""])]
    parts += [_family(name, families[name]) for name in INTRODUCTIONS]
    return "\n".join(parts)


def _run() -> StandardCheck:
    """A check that takes the options of a run, as far as they mean the same to all."""
    return StandardCheck("run", lambda ctx: {}, lambda ctx, e: Outcome.passed(), "", options=RUN)


def _family(name: str, checks: Sequence[StandardCheck]) -> str:
    lines = [f"## `{name}`", "", INTRODUCTIONS[name], ""]
    rows: list[tuple[str, ...]]
    if any(c.question for c in checks):
        lines += ["| `ask:` | question | bugs that it names |", "|---|---|---|"]
        rows = [(f"`{c.question}`", c.asks.rstrip("."), _bugs(c)) for c in checks]
    else:
        lines += ["| question | bugs that it names |", "|---|---|"]
        rows = [(checks[0].asks.rstrip("."), _bugs(checks[0]))]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    of_a_run = {o.name for o in RUN}
    runs = [c for c in checks if of_a_run <= {o.name for o in c.options}]
    if runs:
        which = "" if len(runs) == len(checks) else f" of all but {_listed(_rest(checks, runs))}"
        told = f"The [options of a run](#options-of-a-run) are options{which}"
        usual = {o.name: o.default for o in RUN}
        own = [
            f"`{o.name}: {_text(o.default)}`" + (f" for `{c.question}`" if c.question else "")
            for c in runs
            for o in c.options
            if o.name in usual and o.default != usual[o.name]
        ]
        lines += ["", f"{told}; left out, {', '.join(own)}." if own else f"{told}."]
    others = [
        replace(c, options=tuple(o for o in c.options if c not in runs or o.name not in of_a_run))
        for c in checks
    ]
    options = _options(others)
    return "\n".join([*lines, *([""] if options else []), *_table(options), ""])


def _rest(checks: Sequence[StandardCheck], runs: Sequence[StandardCheck]) -> list[str]:
    return [c.question for c in checks if c not in runs]


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    head = ["| option | what it is | meaning |", "|---|---|---|"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)] if rows else []


def _bugs(check: StandardCheck) -> str:
    return ", ".join(f"`{b}`" for b in check.bugs)


def _options(checks: Sequence[StandardCheck]) -> list[tuple[str, str, str]]:
    """Each option of a family once, with its default, and whose it is where not all have it."""
    having: dict[str, list[tuple[StandardCheck, Option]]] = {}
    for check in checks:
        for option in check.options:
            having.setdefault(option.name, []).append((check, option))
    rows = []
    for name, uses in having.items():
        first = uses[0][1]
        meaning = first.meaning
        if first.needed:
            meaning += "; needed"
        meaning += _defaults([(c.question, o.default) for c, o in uses])
        if len(uses) < len(checks):
            meaning += f" ({_listed(c.question for c, _ in uses)})"
        rows.append((f"`{name}`", first.words, meaning))
    return rows


def _defaults(uses: Iterable[tuple[str, Any]]) -> str:
    """What holds where an option is left out."""
    stated = [(question, default) for question, default in uses if default not in (None, [], {})]
    if not stated:
        return ""
    if len({str(default) for _, default in stated}) == 1 and len(stated) != 1:
        return f"; `{_text(stated[0][1])}` if left out"
    told = [f"`{_text(d)}`" + (f" for `{q}`" if q else "") for q, d in stated]
    return f"; {', '.join(told)} if left out"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


if __name__ == "__main__":
    sys.stdout.write(page())
