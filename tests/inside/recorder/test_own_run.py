"""`probes/recorder.py`: the run that grading makes is recorded, and leaves torch as it was."""

from __future__ import annotations

import pickle
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer, lr_scheduler
from torch.optim import optimizer as optimizers
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _BaseDataLoaderIter

from autograder.inside.probes import recorder
from autograder.inside.program import Program

OWNERS: tuple[Any, ...] = (
    *(torch, torch.autograd, torch.random, torch.Tensor, torch.amp.GradScaler, F, nn.Module),
    *(nn.utils, nn.utils.clip_grad, Optimizer, DataLoader, _BaseDataLoaderIter, pickle, random),
    *(np.random, threading.Thread),
    *(k for k in vars(lr_scheduler).values() if isinstance(k, type)),
)


def state() -> list[dict[str, int]]:
    """What every place that may be put under watch holds, and PyTorch's own hooks."""
    own = [{name: id(value) for name, value in vars(owner).items()} for owner in OWNERS]
    hooks = (
        optimizers._global_optimizer_pre_hooks,
        optimizers._global_optimizer_post_hooks,
    )
    return [*own, *({str(k): id(v) for k, v in held.items()} for held in hooks)]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.chdir(tmp_path)  # what lies below is taken for the program's own
    stdout = sys.stdout
    yield Program("script", "m.py", ["x = 1"])
    assert sys.stdout is stdout


def step(net: nn.Module) -> None:
    net.zero_grad()
    F.cross_entropy(net(torch.ones(2, 3)), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]


def test_everything_is_as_it_was_when_the_run_has_ended(program: Program) -> None:
    before = state()
    end = recorder.begin(program)
    assert state() != before
    assert end() is False  # nothing was called or trained
    assert state() == before
    told, _ = recorder.own_run(program, {}, {})
    assert told["ended"] == "ran" and told["events"] == []


def test_what_the_program_holds_on_to_is_the_function_alone(program: Program) -> None:
    net = nn.Linear(3, 2)
    end = recorder.begin(program)
    kept, flat, printing = F.cross_entropy, torch.argmax, sys.stdout
    step(net)
    assert end() is True
    told, _ = recorder.own_run(program, {}, {})
    seen = len(told["events"])
    assert {"forward", "loss", "backward"} <= {e["k"] for e in told["events"]}
    flight = recorder._own.flight
    assert flight is not None
    counts = dict(flight.counts)
    for _ in range(2):
        step(net)
        kept(net(torch.ones(2, 3)), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]
        assert flat(torch.tensor([1.0, 3.0])) == 1
        printing.write("a line\n")
    assert dict(flight.counts) == counts and len(flight.events) == seen


def test_what_the_program_has_put_there_itself_stays(program: Program) -> None:
    original = F.mse_loss
    end = recorder.begin(program)
    theirs = lambda *args, **kwargs: torch.zeros(())  # noqa: E731 - as a student would
    F.mse_loss = theirs
    try:
        end()
        assert F.mse_loss is theirs
    finally:
        F.mse_loss = original


def test_a_recorder_that_fails_leaves_the_run_alone(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(flight: Any) -> Any:
        raise RuntimeError("an observer is broken")

    before = state()
    monkeypatch.setattr(recorder, "OBSERVERS", (*recorder.OBSERVERS, broken))
    end = recorder.begin(program)
    assert state() == before
    assert end() is True
    told, _ = recorder.own_run(program, {}, {})
    assert told == {"unseen": "RuntimeError: an observer is broken"}


def test_another_program_is_not_taken_for_the_one_that_was_seen(program: Program) -> None:
    recorder.begin(program)()
    told, _ = recorder.own_run(Program("script", "m.py", ["x = 1"]), {}, {})
    assert "unseen" in told


def test_settings_that_go_by_tensors_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optimizer's state does: to print the keys took longer than the training."""
    from autograder.inside.recorder.log import Flight
    from autograder.inside.recorder.stopping import Stopping

    def printed(self: torch.Tensor) -> str:
        raise AssertionError("a tensor was printed")

    monkeypatch.setattr(torch.Tensor, "__repr__", printed)
    monkeypatch.setattr(torch.Tensor, "__str__", printed)
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    looked = Stopping(Flight(Program("script", "m.py", [])))
    looked._look({"optimizer": optimizer, "config": {"patience": 3}})
    assert looked.patience == {3}
