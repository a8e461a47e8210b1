"""Probes of a checkpoint file: is it there, is it a state_dict, does it reload, what does it score.

Theory. A checkpoint is somebody else's pickle, so it is read with `weights_only=True`, and only
here inside the box. A file that this refuses is not opened any other way: the list of what it
would have to import (`get_unsafe_globals_in_checkpoint` reads opcodes and runs none of them)
tells a whole pickled model from other objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from ..program import Program, first_error
from ..recorder.light import plain
from .folder import served

Result = tuple[dict[str, Any], dict[str, torch.Tensor]]
WRAPPERS = ("model", "state_dict", "model_state_dict", "model_state", "weights", "net")
GLOBALS_CAP, TEXT_CAP, IMAGES_CAP = 20, 600, 20_000


def tensors_in(value: Any, depth: int = 3) -> Iterator[torch.Tensor]:
    """Every tensor of a nest of mappings."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping) and depth:
        for inner in value.values():
            yield from tensors_in(inner, depth - 1)


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and all(isinstance(k, str) for k in value)
        and all(isinstance(v, torch.Tensor) for v in value.values())
    )


def read_checkpoint(name: str) -> tuple[dict[str, Any], dict[str, torch.Tensor] | None]:
    """Read the file `name` as a state_dict, or one under a key such as "model".

    Returns what it is, {"exists", "kind", "detail"}, and the state_dict where there is one.
    `kind`: `state_dict`, `nested` (one under a key), `empty` (one without a tensor),
    `whole_model`, `refused` (holds objects that weights_only does not load), `unreadable`,
    `other` (loads, but is no state_dict), `absent`.
    """
    if not os.path.isfile(name) or os.path.getsize(name) == 0:
        return {"exists": False, "kind": "absent", "detail": ""}, None
    try:
        found = torch.load(name, map_location="cpu", weights_only=True)
    except Exception as e:  # whatever the file's bytes provoke is a finding, not an accident
        wants = _unsafe_globals(name)
        detail = ", ".join(wants) or f"{type(e).__name__}: {e}".splitlines()[0]
        kind = "unreadable"
        if wants:
            kind = "whole_model" if any(_is_module(w) for w in wants) else "refused"
        return {"exists": True, "kind": kind, "detail": detail[:TEXT_CAP]}, None
    if isinstance(found, nn.Module):  # allowed by add_safe_globals in this very program
        return {"exists": True, "kind": "whole_model", "detail": type(found).__name__[:100]}, None
    if isinstance(found, Mapping) and not found:
        return {"exists": True, "kind": "empty", "detail": ""}, None
    if _is_state(found):
        return {"exists": True, "kind": "state_dict", "detail": ""}, dict(found)
    if isinstance(found, Mapping):
        keys = [*WRAPPERS, *(k for k in found if isinstance(k, str) and "optim" not in k)]
        for key in keys:
            if isinstance(found.get(key), Mapping) and found[key] and _is_state(found[key]):
                return {"exists": True, "kind": "nested", "detail": key[:100]}, dict(found[key])
    return {"exists": True, "kind": "other", "detail": type(found).__name__[:100]}, None


def _unsafe_globals(name: str) -> list[str]:
    try:
        wants = torch.serialization.get_unsafe_globals_in_checkpoint(name)
    except Exception:  # not a file of torch.save's present format: nothing to list
        return []
    return sorted(str(w)[:100] for w in wants)[:GLOBALS_CAP]


def _is_module(name: str) -> bool:
    """Whether a pickled global is a model's class: the program's own, or one of torch.nn."""
    return name.startswith(("__main__.", "torch.nn.modules", "torch.fx", "torch._dynamo"))


def accuracy_on(model: nn.Module, loader: Any) -> tuple[float, int]:
    """(accuracy, images) of `model` over `loader`, in evaluation mode and without gradients."""
    model.eval()
    right = seen = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
            seen += len(labels)
            if seen >= IMAGES_CAP:
                break
    return right / max(seen, 1), seen


def _agree(model: nn.Module, twin: nn.Module, loader: Any) -> bool:
    """Whether two models answer the same on one batch: both were loaded from one file, so what
    differs is no part of it. A model that differs from itself (random even in evaluation mode)
    cannot tell, and counts as agreeing.
    """
    images = next(iter(loader))[0]
    with torch.no_grad():
        first, again, other = (m.eval()(images) for m in (model, model, twin))
    if not torch.allclose(first, again, atol=1e-5):
        return True
    return torch.allclose(first, other, atol=1e-5)


def present(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Whether the run left the file (args: `file`), and what it is: the fields of
    `read_checkpoint`; and the first `error` of the run.
    """
    return {**read_checkpoint(args["file"])[0], "error": first_error(program)}, {}


def checkpoint(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Reload the file (args: `file`, `class`) into a new model and score it on `test_loader`.

    Returns the fields of `read_checkpoint`, `best_acc`, and where the file holds a state_dict:
    `mismatch` (why it does not load into a new model, or ""), `twins` (whether a second new
    model, loaded from the same file, agrees with the first), `accuracy` and `images`, and
    `claimed`, what the program's own `evaluate` says of the reloaded model (None where it says
    nothing).
    """
    found, state = read_checkpoint(args["file"])
    data = {**found, "best_acc": plain(program.namespace.get("best_acc"))}
    if state is None:
        return data, {}
    model = program.get(args["class"])()
    try:
        model.load_state_dict(state)
    except RuntimeError as e:
        data["mismatch"] = " ".join(str(e).split())[:TEXT_CAP]
        return data, {}
    data["mismatch"] = ""
    twin = program.get(args["class"])()
    twin.load_state_dict(state)
    data["twins"] = _agree(model, twin, program.get("test_loader"))
    accuracy, images = accuracy_on(model, program.get("test_loader"))
    data.update(accuracy=accuracy, images=images, claimed=None)
    try:
        own = program.get("model")
        own.load_state_dict(state)  # this process is a fork, and ends with this probe
        function = program.get("evaluate")
        data["claimed"] = plain(function(**served(program, function, "test_loader")))
    except Exception:  # what is wrong with evaluate is for its own checks to say
        data["claimed"] = None
    return data, {}
