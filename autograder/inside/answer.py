"""One probe's answer: run the probe, turn what it returned or raised into a frame.

Nothing here is trusted by the reader; it only has to be well formed when the student's
code is honest. A tensor goes out as safetensors, whatever else as JSON.
"""

from __future__ import annotations

import importlib
from typing import Any

import safetensors.torch
import torch

from .program import MissingName, Program, describe

_NO_MEMORY = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


def _no_memory(kind: str, message: str) -> bool:
    """Whether an exception says that memory ran out, in Python's words or in torch's."""
    return kind == "MemoryError" or any(word in message for word in _NO_MEMORY)


def failure(error: BaseException, program: Program) -> dict[str, Any]:
    """The header of an answer whose probe raised: `memory` where memory ran out, else `error`."""
    if isinstance(error, MissingName):
        if any(_no_memory(e["type"], e["message"]) for e in program.errors):
            return {"status": "memory", "detail": f"{error}"}
        missing = {"type": "MissingName", "message": str(error), "line": None, "cell": None}
        return {"status": "error", "error": {**missing, "traceback": ""}}
    info = describe(error, program.files)
    if _no_memory(info["type"], str(info["message"])):
        return {"status": "memory", "detail": "it asked for more memory than the limit allows"}
    return {"status": "error", "error": info}


def run_probe(
    program: Program, name: str, args: dict[str, Any], tensors: dict[str, torch.Tensor]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Call the probe `module:function` of `inside/probes`; what it raises passes through."""
    module, _, function = name.partition(":")
    probe = getattr(importlib.import_module(f".probes.{module}", __package__), function)
    data, out = probe(program, args, tensors)
    return data, out


def answer(program: Program, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
    """The answer to one request: header and safetensors blob."""
    tensors = safetensors.torch.load(blob) if blob else {}
    try:
        data, out = run_probe(program, request["probe"], request["args"], tensors)
    except BaseException as e:  # whatever the student's code throws is an answer
        return failure(e, program), b""
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in out.items()}
    return {"status": "done", "data": data}, safetensors.torch.save(plain) if plain else b""
