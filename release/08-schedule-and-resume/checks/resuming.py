"""Checks of `save_checkpoint` and `load_checkpoint`: the same run, interrupted or not.

Theory. Training is a deterministic map of weights, momenta, schedule and random state. A run
that is saved, ended and resumed in a new process ends with the weights of the run that was
never interrupted exactly if all of these came back; with any of them missing it ends elsewhere,
and each set of missing parts elsewhere again. So the end of the resumed run says what the
checkpoint left out, whatever its format. The run here is small enough to be computed outside in
float64, by PyTorch's own optimizer and schedule.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.checks.base import Context, Inconclusive, check, field_of, place, require, tensor_of
from autograder.model import Evidence, Outcome, ProbeRequest, Status

BEFORE, AFTER, HORIZON = 2, 2, 6
"""Epochs before and after the interruption, and the length of the schedule."""
INPUTS, HIDDEN, CLASSES, BATCH, BATCHES = 40, 32, 5, 8, 4
LR = 0.15
TOLERANCE = 1e-4
"""Relative to the length of the resumed part; float32 is a thousandth of it away."""
PARTS = {
    "optimizer": "the optimizer (its momenta and its rate)",
    "scheduler": "the schedule",
    "random": "the random generator",
}


@lru_cache(maxsize=16)
def _tensors(seed: int) -> dict[str, NDArray[Any]]:
    """The weights of the run (w1, w2), those of a new model (v1, v2), and its batches."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 1.2 / np.sqrt(shape[1]), shape).astype(np.float32)

    n = BATCH * BATCHES
    return {
        "w1": weights(HIDDEN, INPUTS),
        "w2": weights(CLASSES, HIDDEN),
        "v1": weights(HIDDEN, INPUTS),
        "v2": weights(CLASSES, HIDDEN),
        "images": rng.normal(0, 1, (n, INPUTS)).astype(np.float32),
        "labels": rng.integers(0, CLASSES, n).astype(np.int64),
    }


def _seeds(ctx: Context) -> tuple[int, int, int]:
    """Of the tensors, of the run's random numbers, and of those a new process begins with."""
    found = ctx.rng("resume").integers(2**31, size=3)
    return int(found[0]), int(found[1]), int(found[2])


def _epoch_of(seeds: tuple[int, int, int]) -> int:
    """The epochs that are said to be done, a secret number."""
    return 2 + seeds[1] % 90


@lru_cache(maxsize=16)
def _asked(probe: str, seeds: tuple[int, int, int]) -> ProbeRequest:
    """The same object for the same question, so that its digest is worked out once."""
    args = {
        "before": BEFORE,
        "epoch": _epoch_of(seeds),
        "after": AFTER,
        "lr": LR,
        "horizon": HORIZON,
        "batch": BATCH,
        "seed": seeds[1],
        "other_seed": seeds[2],
    }
    return ProbeRequest(f"own:{probe}", args, _tensors(seeds[0]))


def _vector(ctx: Context, name: str) -> NDArray[np.float32]:
    """The weights `name` as one vector: "w", the run's, or "v", those of a new model."""
    tensors = _tensors(_seeds(ctx)[0])
    return np.concatenate([tensors[f"{name}{i}"].reshape(-1) for i in (1, 2)])


def _fresh(ctx: Context) -> NDArray[np.float32]:
    """The weights of a new model, before anything was loaded into it."""
    return _vector(ctx, "v")


def _interrupted(ctx: Context) -> Mapping[str, ProbeRequest]:
    return {"main": _asked("interrupted", _seeds(ctx))}


class _Run:
    """The training of probes.py, in float64 and beside the global generator."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], w1: str, w2: str) -> None:
        import torch
        from torch.optim.lr_scheduler import CosineAnnealingLR

        self._torch = torch
        self.weights = [torch.from_numpy(tensors[n].astype(np.float64)) for n in (w1, w2)]
        for w in self.weights:
            w.requires_grad_()
        one, two = self.weights
        groups: list[dict[str, Any]] = [{"params": [one]}, {"params": [two], "lr": LR / 2}]
        self.optimizer = torch.optim.SGD(groups, lr=LR, momentum=0.9)
        self.scheduler = CosineAnnealingLR(self.optimizer, T_max=HORIZON)
        self.images = torch.from_numpy(tensors["images"].astype(np.float64))
        self.labels = torch.from_numpy(tensors["labels"])

    def train(self, epochs: int, generator: Any) -> None:
        """Train; the brightness of each batch is drawn from `generator`."""
        torch = self._torch
        w1, w2 = self.weights
        for _ in range(epochs):
            for k in range(BATCHES):
                part = slice(k * BATCH, (k + 1) * BATCH)
                bright = 0.2 + 1.6 * float(torch.rand((), generator=generator))
                logits = torch.tanh(self.images[part] * bright @ w1.T) @ w2.T
                self.optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(logits, self.labels[part])
                loss.backward()
                self.optimizer.step()
            self.scheduler.step()

    def vector(self) -> NDArray[np.float64]:
        """The weights as one vector."""
        flat = [w.detach().numpy().reshape(-1) for w in self.weights]
        return np.concatenate(flat)


@lru_cache(maxsize=16)
def ends(seeds: tuple[int, int, int]) -> tuple[NDArray[np.float64], dict[Any, NDArray[np.float64]]]:
    """The weights at the interruption, and where a resumed run ends by what is restored.

    The keys are subsets of `PARTS` as tuples, in that order.
    """
    import torch

    tensors = _tensors(seeds[0])
    first, numbers = _Run(tensors, "w1", "w2"), torch.Generator().manual_seed(seeds[1])
    first.train(BEFORE, numbers)
    state = numbers.get_state()
    found: dict[Any, NDArray[np.float64]] = {}
    for kept in product((True, False), repeat=len(PARTS)):
        restored = tuple(p for p, k in zip(PARTS, kept, strict=True) if k)
        second = _Run(tensors, "v1", "v2")
        with torch.no_grad():
            for mine, theirs in zip(second.weights, first.weights, strict=True):
                mine.copy_(theirs)
        if "optimizer" in restored:
            # copied: the momenta would otherwise be shared by all the runs
            second.optimizer.load_state_dict(copy.deepcopy(first.optimizer.state_dict()))
        if "scheduler" in restored:
            second.scheduler.load_state_dict(first.scheduler.state_dict())
        numbers = torch.Generator().manual_seed(seeds[2])
        if "random" in restored:
            numbers.set_state(state)
        second.train(AFTER, numbers)
        found[restored] = second.vector()
    return first.vector(), found


def _words(error: Any) -> str:
    if not isinstance(error, dict):
        return "an error"
    line = place(error)
    message = f": {str(error['message'])[:300]}" if error.get("message") else ""
    return f"{str(error.get('type'))[:80]}{line}{message}"


def _came_through(evidence: Evidence) -> Evidence:
    """The interrupted run, if it came to its end, else `Inconclusive`."""
    if evidence.status != "done" or evidence.data.get("stage") != "done":
        why = "not checked: a run could not be saved and resumed; see the first check of its task"
        raise Inconclusive(Outcome.not_checked(why))
    return evidence


@check(
    requests=_interrupted,
    bugs=("missing_name", "wrong_checkpoint", "wrong_value"),
    help="What one process saves another loads, and learns from it how many epochs are done.",
)
def checkpoint_resumes(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Saving writes a file, loading reads it in another process and returns the epoch."""
    done = require(evidence["main"])
    stage = field_of(done, "stage", str)
    if done.data.get("kind") == "absent" and stage != "save":
        return Outcome.failed("save_checkpoint left no file at the path given", "wrong_checkpoint")
    if stage != "done":
        name = "save_checkpoint" if stage == "save" else "load_checkpoint, in a new process,"
        raised = done.data.get("raised")
        if isinstance(raised, dict) and raised.get("type") == "NotImplementedError":
            function = name.partition(",")[0]
            return Outcome.failed(
                f"not written yet: the stub of {function} still raises NotImplementedError"
            )
        return Outcome(Status.ERROR, 0.0, (), f"{name} raised {_words(raised)}")
    epoch = field_of(done, "epoch", dict)
    if epoch.get("value") != _epoch_of(_seeds(ctx)):
        got = str(epoch.get("value", epoch.get("kind")))[:80]
        return Outcome.failed(
            f"saved as epoch {_epoch_of(_seeds(ctx))}, load_checkpoint returned {got}",
            "wrong_value",
        )
    return Outcome.passed()


@check(
    requests=_interrupted,
    bugs=("wrong_checkpoint",),
    help="The weights that come back are those that were saved, every bit of them.",
)
def checkpoint_model(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The weights and buffers come back as they were, to the bit."""
    done = _came_through(evidence["main"])
    right, _ = ends(_seeds(ctx))
    saved, loaded = (tensor_of(done, n, right.shape) for n in ("saved", "loaded"))
    if not np.allclose(saved, right, rtol=1e-3, atol=1e-4):
        return Outcome(Status.ERROR, 0.0, (), "the probe's answer was tampered with: 'saved'")
    if np.array_equal(saved, loaded):
        counted, found = (tensor_of(done, n, (3,)) for n in ("saved_seen", "loaded_seen"))
        if np.array_equal(counted, found):
            return Outcome.passed()
        return Outcome.failed(
            "the parameters came back, and the model's buffer did not (as batch norm's running "
            "mean would not)",
            "wrong_checkpoint",
        )
    off = float(np.abs(saved.astype(np.float64) - loaded).max())
    said = f"the weights loaded differ from those saved by up to {off:.3g}"
    if np.array_equal(loaded, _fresh(ctx)):
        said = "after load_checkpoint the new model still had its own weights"
    return Outcome.failed(said, "wrong_checkpoint")


@check(
    requests=_interrupted,
    bugs=("pickles_whole_model", "wrong_checkpoint"),
    help=("Tensors, numbers and names can be read by anybody, at any time, without running code."),
)
def checkpoint_plain(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The file holds tensors, numbers and names, and no object that needs its class."""
    done = require(evidence["main"])
    kind, detail = field_of(done, "kind", str), field_of(done, "detail", str)[:300]
    if kind == "absent" or done.data.get("stage") == "save":
        return Outcome.not_checked("not checked: save_checkpoint left no file")
    if kind == "whole_model":
        return Outcome.failed(
            f"the file holds the model itself as an object; to read it, these are needed: {detail}",
            "pickles_whole_model",
        )
    wants = [w.strip() for w in detail.split(",")]
    if kind == "refused" and not all(w.startswith("numpy") for w in wants):
        return Outcome.failed(
            f"the file holds objects that a safe load refuses: {detail}", "wrong_checkpoint"
        )
    if done.data.get("stage") != "done" or field_of(done, "size", int) < 4 * len(_fresh(ctx)):
        return Outcome.not_checked("not checked: the file cannot hold the weights, or is not read")
    return Outcome.passed()


@check(
    requests=_interrupted,
    bugs=("resume_without_state",),
    help=("Momenta, the schedule's count and the random generator are part of where a run stands."),
)
def checkpoint_state(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The resumed run ends where the uninterrupted one does."""
    done = _came_through(evidence["main"])
    start, known = ends(_seeds(ctx))
    last = tensor_of(done, "last", start.shape)
    right = known[tuple(PARTS)]
    length = float(np.linalg.norm(right - start))
    gaps = {k: float(np.linalg.norm(last - end)) / length for k, end in known.items()}
    if gaps[tuple(PARTS)] <= TOLERANCE:
        return Outcome.passed(f"within {gaps[tuple(PARTS)]:.1g} of the uninterrupted run")
    restored = min(gaps, key=lambda k: gaps[k])
    off = f"{gaps[tuple(PARTS)]:.3g} of the way it went after the interruption"
    if not gaps[restored] <= TOLERANCE:
        return Outcome.failed(
            f"the resumed run ends apart from the uninterrupted one by {off}, and not as with any "
            f"part left out",
            "resume_without_state",
        )
    missing = " and ".join(words for part, words in PARTS.items() if part not in restored)
    return Outcome.failed(
        f"the resumed run ends apart from the uninterrupted one by {off}: exactly where it ends "
        f"if {missing} did not come back",
        "resume_without_state",
    )


_DEATHS = {
    "half": "in the middle of writing",
    "grown": "in the middle of writing more than the old file held",
    "old_file": "at the moment the old file was opened for writing, moved away or removed",
}


@check(
    requests=lambda ctx: {"main": _asked("crashed", _seeds(ctx))},
    bugs=("wrong_checkpoint",),
    help=(
        "A file that is being written is not a checkpoint yet. Until the new one is whole, the "
        "old one has to stay where it is."
    ),
)
def checkpoint_crash(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whenever the process dies while saving, one whole checkpoint is left."""
    done = require(evidence["main"])
    if done.data.get("stage") != "done":
        return Outcome.not_checked("not checked: save_checkpoint does not work")
    if done.data.get("loads") is not True:
        return Outcome.not_checked(
            "not checked: load_checkpoint does not bring the weights back where nothing dies"
        )
    deaths = field_of(done, "deaths", dict)
    whole = [_vector(ctx, "v"), _vector(ctx, "w")]
    for way, words in _DEATHS.items():
        told = deaths.get(way)
        if not isinstance(told, dict):
            return Outcome(Status.ERROR, 0.0, (), "the probe's answer was tampered with: 'deaths'")
        when = f"after the process died {words}"
        if told.get("raised") is not None:
            return Outcome.failed(
                f"{when}, load_checkpoint raised {_words(told['raised'])}", "wrong_checkpoint"
            )
        loaded = tensor_of(done, way, whole[0].shape)
        if not any(np.allclose(loaded, w, rtol=1e-2, atol=1e-3) for w in whole):
            return Outcome.failed(
                f"{when}, load_checkpoint brought back neither the older nor the newer weights",
                "wrong_checkpoint",
            )
    return Outcome.passed()


@check(
    requests=lambda ctx: {"main": _asked("harmful", _seeds(ctx))},
    bugs=("unsafe_load", "wrong_value"),
    help=("A pickle is a program. A checkpoint from somebody else is read as data, or not at all."),
)
def checkpoint_refuses(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """A file with code in it raises, and its code does not run."""
    done = require(evidence["main"])
    if done.data.get("loads") is not True:
        return Outcome.not_checked("not checked: load_checkpoint does not load an honest file")
    files = field_of(done, "files", dict)
    for way in ("torch", "pickle"):
        told = files.get(way)
        if not isinstance(told, dict):
            return Outcome(Status.ERROR, 0.0, (), "the probe's answer was tampered with: 'files'")
        made = f"a file written by {way}.{'save' if way == 'torch' else 'dump'} with code in it"
        if told.get("ran") is not False:
            return Outcome.failed(f"{made} was loaded, and its code ran", "unsafe_load")
        if not told.get("raised"):
            return Outcome.failed(
                f"{made} was taken without an error, as if it had been loaded", "wrong_value"
            )
    return Outcome.passed()
