"""What a student's process answers: how its program ran, and what a probe returned or raised.

Nothing here is trusted by the reader; it only has to be well formed when the student's
code is honest. A tensor goes out as safetensors, whatever else as JSON.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Sequence
from typing import Any

import safetensors.torch
import torch

from .. import absent, probes
from ..exceptions import MissingName
from ..program import Program, describe
from .limits import Bounds, no_memory

NAMES_CAP, ERRORS_CAP = 2_000, 50


def excess(errors: Sequence[dict[str, Any]], bounds: Bounds | None) -> tuple[str, str] | None:
    """(status, sentence) of the first limit that a program's errors stand for, if any does.

    Without `bounds` (a student's own check) no limit is set, but memory can still run out.
    """
    for e in errors:
        if bounds is not None:
            found = bounds.blame(e["type"], e["message"])
        else:
            short = no_memory(e["type"], e["message"])
            found = ("memory", "it asked for more memory than there is") if short else None
        if found is not None:
            return found
    return None


def failure(error: BaseException, program: Program, bounds: Bounds | None = None) -> dict[str, Any]:
    """The header of an answer whose probe raised: `error`, or the limit that it ran into.

    A name that is missing because the program ran into a limit before it came to define it is
    that limit's, too.
    """
    if isinstance(error, MissingName):
        info = {"type": "MissingName", "message": str(error), "line": None, "cell": None}
        info["traceback"] = ""
        info = error.cause or info
        found = excess(program.errors, bounds)
    else:
        absent.blame(error)
        info = describe(error, program.files)
        found = excess([info], bounds)
    if found is None:
        return {"status": "error", "error": info}
    status, sentence = found
    missing = f"{error}: " if isinstance(error, MissingName) else ""
    return {"status": status, "detail": missing + sentence}


def run_probe(
    program: Program, name: str, args: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Call the probe that requests call `name`; what it raises passes through."""
    data, out = probes.find(name)(program, args, tensors)
    return data, out


def answer(
    program: Program, request: dict[str, Any], blob: bytes, bounds: Bounds | None = None
) -> tuple[dict[str, Any], bytes]:
    """The answer to one request: header and safetensors blob."""
    tensors = safetensors.torch.load(blob) if blob else {}
    absent.forget_calls()
    judged = program.loaded  # and not the whole program, as in a process where nothing ran yet
    try:
        data, out = run_probe(program, request["probe"], request["args"], tensors)
    except BaseException as e:  # whatever the student's code throws is an answer
        header, out = failure(e, program, bounds), {}
    else:
        header = {"status": "done", "data": data}
        if judged:
            absent.need_called()
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in out.items()}
    lacking = {"needs": absent.needs()} if absent.needs() else {}
    return {**header, **lacking}, safetensors.torch.save(plain) if plain else b""


def _threads() -> int:
    """What a fork would lose: threads beside the main one (tqdm's monitor does no work), and an
    accelerator in use, which counts as one.
    """
    own = [t for t in threading.enumerate() if type(t).__module__ != "tqdm._monitor"]
    return len(own) - 1 + int(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def load_report(program: Program, bounds: Bounds) -> dict[str, Any]:
    """How the program's own run went, from its process: errors, names, what the recorder saw."""
    found = excess(program.errors, bounds)
    names = [n for n in map(str, program.namespace) if not n.startswith("_")]
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "errors": program.errors[:ERRORS_CAP],
        "names": [n[:200] for n in names[:NAMES_CAP]],
        "report": {**program.report, "absent": absent.used()},
        "threads": _threads(),
        "limit": found[1] if found else "",
        "cpu_s": round(used.ru_utime + used.ru_stime, 4),
    }
