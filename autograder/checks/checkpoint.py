"""Judges of the checkpoint: there, a state_dict, of the best epoch, and worth what it claims.

Which epoch was saved is read off a run whose evaluations are answered from a script: the
accuracies (0.5, 0.9, 0.7) have their best before the end. A program that trains more often than
that, in a cell to try things out, is run once more with a curve drawn out at its beginning, so that
the best is again the last but one of all its epochs. A file that holds the last epoch's weights was
either written unconditionally, or is the best epoch's state_dict held by reference while training
went on; which of the two, the identity of the saved tensors tells.

Where a program goes its own way (trains or saves inside other functions), the script says nothing,
and what the file scores on the program's own test images is compared with `best_acc`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model import ErrorInfo, Evidence, Outcome, ProbeRequest, Status
from .base import (
    Context,
    Inconclusive,
    Judge,
    Requests,
    StandardCheck,
    check,
    field_of,
    place,
    require,
)
from .forms import RUN, with_defaults
from .programs import program_of

CURVE = (0.5, 0.9, 0.7)
LONGEST = 12
"""Epochs, those in other cells included, up to which a curve is drawn out."""
NEAR = 1e-6


def _file(ctx: Context) -> str:
    return str(ctx.option("file"))


def _present(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": ProbeRequest("checkpoints:present", {"file": _file(ctx)})}


def _reload(ctx: Context) -> ProbeRequest:
    args = {"file": _file(ctx), "class": str(ctx.option("class"))}
    return ProbeRequest("checkpoints:checkpoint", args)


def _curve(epochs: int) -> tuple[float, ...]:
    """The accuracies of a run of so many epochs."""
    return (CURVE[0],) * (epochs - len(CURVE)) + CURVE


def _scripted(ctx: Context, epochs: int) -> ProbeRequest:
    return program_of(ctx).request(ctx, curve=_curve(epochs))


def _script(epochs: int) -> str:
    return f"scripted {epochs}"


def _both(ctx: Context) -> Mapping[str, ProbeRequest]:
    runs = {_script(n): _scripted(ctx, n) for n in range(len(CURVE), LONGEST + 1)}
    return {"main": _reload(ctx), **runs}


def _number(evidence: Evidence, name: str) -> float | None:
    value = evidence.data.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class _Story:
    """A scripted run that says something: the best epoch and the last of those evaluated."""

    best: int
    last: int
    epoch: int | None
    kind: str
    kept: bool
    """The file was written after the best epoch from a state_dict taken at it."""
    claimed: float | None
    curve: tuple[float, ...]

    @property
    def honest(self) -> bool:
        """best_acc is the accuracy of the best epoch."""
        best = _accuracy_at(self.best, self.curve)
        return self.claimed is not None and abs(self.claimed - best) <= NEAR

    @property
    def told(self) -> str:
        """The accuracies of the run, in words."""
        return ", ".join(f"{a:g}" for a in self.curve[: self.last])

    @property
    def bug(self) -> str:
        """What is wrong with the file's epoch, or ""."""
        if self.epoch == self.best:
            return ""
        if self.epoch is not None and self.epoch == self.last:
            return "best_weights_aliased" if self.kept else "saves_last_not_best"
        return "wrong_checkpoint"


def _accuracy_at(epoch: int, curve: tuple[float, ...]) -> float:
    return curve[min(epoch, len(curve)) - 1]


def _story(ctx: Context, evidence: Mapping[str, Evidence]) -> _Story | None:
    """What the scripted run says, or None where the program did not follow the script."""
    first = evidence[_script(len(CURVE))]
    seen = first.data.get("evaluated") if first.status == "done" else None
    epochs = [e for e in seen if isinstance(e, int)] if isinstance(seen, list) else []
    trained = max(epochs, default=0)
    if len(CURVE) < trained <= LONGEST:
        return _told(ctx, evidence[_script(trained)], _curve(trained))
    return _told(ctx, first, CURVE)


def _told(ctx: Context, evidence: Evidence, curve: tuple[float, ...]) -> _Story | None:
    if evidence.status != "done":
        return None
    seen = field_of(evidence, "evaluated", list)
    if any(isinstance(e, bool) or not isinstance(e, int) for e in seen):
        said = "the probe's answer was tampered with: 'evaluated'"
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), said))
    epochs = sorted({e for e in seen if 0 < e < 10_000})
    file = field_of(evidence, "file", dict)
    kind = str(file.get("kind", "absent"))
    if len(epochs) < 2:
        return None
    best = max(epochs, key=lambda e: (_accuracy_at(e, curve), -e))
    saves = [
        s
        for s in field_of(evidence, "saves", list)
        if isinstance(s, Mapping) and s.get("file") == _file(ctx)
    ]
    kept = bool(saves) and saves[-1].get("taken") == best and saves[-1].get("epoch") != best
    written, claimed = file.get("epoch"), _number(evidence, "best_acc")
    epoch = written if isinstance(written, int) else None
    return _Story(best, epochs[-1], epoch, kind, kept, claimed, curve)


def _no_state(kind: str, detail: Any, name: str) -> Outcome | None:
    """The outcome for a file that is no state_dict, or None for one that is."""
    what = str(detail)[:200]
    if kind in ("state_dict", "nested"):
        return None
    if kind == "empty":
        return Outcome.failed(
            f"{name} holds a state_dict without a single tensor: the model had registered none",
            "unregistered_modules",
        )
    if kind == "whole_model":
        return Outcome.failed(
            f"{name} holds a pickled model ({what}); torch.load refuses it by default",
            "pickles_whole_model",
        )
    told = {
        "absent": f"there is no {name} after the run",
        "refused": f"torch.load refuses {name} by default: it holds {what}",
        "unreadable": f"{name} cannot be read by torch.load: {what}",
        "other": f"{name} holds a {what}, not a state_dict",
    }.get(kind, f"{name} holds no state_dict")
    return Outcome.failed(told, "wrong_checkpoint")


def _judge_exists(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the file is there after the run."""
    main = require(evidence["main"])
    if field_of(main, "exists", bool):
        return Outcome.passed()
    message = f"there is no {_file(ctx)} after the run"
    error = main.data.get("error")
    if not isinstance(error, Mapping):
        return Outcome.failed(message, "wrong_checkpoint")
    told = ErrorInfo(str(error.get("type")), str(error.get("message"))[:400])
    if told.unread:
        return Outcome(
            Status.ERROR, 0.0, (), f"{message}; the program stopped{place(error)}: {told}"
        )
    return Outcome.failed(
        f"{message}; the program stopped{place(error)}: {told}", "wrong_checkpoint"
    )


def _score(ctx: Context, main: Evidence) -> tuple[float, float, bool]:
    """(accuracy of the file's weights, best_acc, whether they agree).

    They agree within one image of the probe's own count, or exactly by the program's own
    `evaluate`, whose precision and rounding it may owe. Raises `Inconclusive` where one is missing.
    """
    claimed, accuracy = _number(main, "best_acc"), _number(main, "accuracy")
    if claimed is None:
        raise Inconclusive(Outcome.failed("'best_acc' is not defined as a number", "missing_name"))
    if accuracy is None:
        raise Inconclusive(Outcome.failed(f"{_file(ctx)} could not be scored", "wrong_checkpoint"))
    images = max(1, int(_number(main, "images") or 1))
    again = _number(main, "claimed")
    agree = abs(accuracy - claimed) <= 1 / images + NEAR
    return accuracy, claimed, agree or (again is not None and abs(again - claimed) <= NEAR)


def _reloaded(ctx: Context, main: Evidence) -> Outcome | None:
    """Why the file does not load into a new model, or None where it does."""
    problem = _no_state(field_of(main, "kind", str), main.data.get("detail"), _file(ctx))
    if problem is not None:
        return problem
    mismatch = field_of(main, "mismatch", str)
    if mismatch:
        return Outcome.failed(
            f"{_file(ctx)} does not load into a new {ctx.option('class')}(): {mismatch[:300]}",
            "wrong_checkpoint",
        )
    return None


def _judge_reloads(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the file loads into a new model, which then scores what `best_acc` claims."""
    main = require(evidence["main"])
    problem = _reloaded(ctx, main)
    if problem is not None:
        return problem
    if main.data.get("twins") is False:
        return Outcome.failed(
            f"two new models, both loaded from {_file(ctx)}, give different answers: it does not "
            f"hold all of the model",
            "unregistered_modules",
        )
    accuracy, claimed, agree = _score(ctx, main)
    if agree:
        return Outcome.passed(f"the reloaded model scores {accuracy:.4f}")
    story = _story(ctx, evidence)
    if story is not None and story.kind != "absent" and not story.bug and story.honest:
        return Outcome.passed(
            "the file holds the best epoch's weights, whose evaluation varies from run to run"
        )
    return Outcome.failed(
        f"the reloaded model scores {accuracy:.4f} on test_loader, and best_acc says {claimed:.4f}",
        *([story.bug] if story is not None and story.kind != "absent" and story.bug else []),
    )


def _judge_best(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the file holds the weights of the best epoch."""
    story = _story(ctx, evidence)
    name = _file(ctx)
    if story is None or story.kind == "absent":  # it may save inside a function that was replaced
        main = require(evidence["main"])
        if _reloaded(ctx, main) is not None:
            return Outcome.not_checked(f"not checked: {name} does not reload")
        accuracy, claimed, agree = _score(ctx, main)
        if agree:
            return Outcome.passed(f"by its score: {accuracy:.4f}")
        return Outcome.failed(
            f"{name} scores {accuracy:.4f} on test_loader, and best_acc says {claimed:.4f}",
            "wrong_checkpoint",
        )
    if _no_state(story.kind, "", name) is not None:
        return Outcome.not_checked(f"not checked: {name} is no state_dict")
    if not story.bug:
        return Outcome.passed()
    run = f"in a run whose accuracies were {story.told}"
    if story.bug == "best_weights_aliased":
        told = (
            f"{run}, the state_dict was taken at epoch {story.best}, and by the time it was "
            f"written it held the weights of epoch {story.last}"
        )
    elif story.bug == "saves_last_not_best":
        told = f"{run}, {name} holds the weights of epoch {story.last}"
    elif story.epoch is not None and story.epoch > 0:
        told = f"{run}, {name} holds the weights of epoch {story.epoch}"
    else:
        told = f"{run}, {name} holds weights that no epoch of 'model' had"
    return Outcome.failed(told, story.bug)


def _judge_best_accuracy(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether `best_acc` is the accuracy of the best epoch."""
    story = _story(ctx, evidence)
    if story is None:
        accuracy, claimed, agree = _score(ctx, require(evidence["main"]))
        if agree:
            return Outcome.passed(f"by the file's score: {accuracy:.4f}")
        return Outcome.failed(
            f"best_acc says {claimed:.4f}, and {_file(ctx)} scores {accuracy:.4f}", "wrong_value"
        )
    if story.claimed is None:
        return Outcome.failed("'best_acc' is not defined as a number", "missing_name")
    if story.honest:
        return Outcome.passed()
    return Outcome.failed(
        f"evaluate returned {story.told}; afterwards best_acc was {story.claimed:g}",
        "wrong_value",
    )


def _question(
    ask: str, help: str, *bugs: str, requests: Requests = _both
) -> Callable[[Judge], StandardCheck]:
    options = with_defaults(RUN, file="best_mlp.pt", **{"class": "MLP"})
    return check(
        family="checkpoint", ask=ask, help=help, bugs=bugs, requests=requests, options=options
    )


checkpoint_exists = _question(
    "exists",
    "What a run learnt is lost with its process unless it is written to a file.",
    "wrong_checkpoint",
    requests=_present,
)(_judge_exists)
checkpoint_reloads = _question(
    "reloads",
    "A checkpoint is worth what a new process can make of it: build a new model, load the file "
    "into it, evaluate it, and compare with what was claimed.",
    "pickles_whole_model",
    "wrong_checkpoint",
    "unregistered_modules",
    "saves_last_not_best",
    "best_weights_aliased",
    "missing_name",
)(_judge_reloads)
checkpoint_best = _question(
    "best",
    "The best epoch is rarely the last one. Its weights have to be written, or copied, before "
    "training goes on to change them.",
    "saves_last_not_best",
    "best_weights_aliased",
    "wrong_checkpoint",
)(_judge_best)
checkpoint_best_accuracy = _question(
    "best_accuracy",
    "best_acc is the highest accuracy that evaluate has returned so far.",
    "wrong_value",
    "missing_name",
)(_judge_best_accuracy)
