"""Runs a program and writes down what a person at the screen could have seen: losses.py PROGRAM OUT

OUT is JSON: `losses`, the value of each loss that was computed while gradients were recorded, in
order, and `said`, the warnings of PyTorch and the exception that ended the run, one line each.
"""

from __future__ import annotations

import json
import runpy
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

LOSSES = ("cross_entropy", "nll_loss", "binary_cross_entropy_with_logits", "mse_loss")


def main(program: str, out: str) -> None:
    """Run `program` as a script of its folder, which is the working folder."""
    losses: list[float] = []
    said: list[str] = []

    def heard(function: Callable[..., Any]) -> Callable[..., Any]:
        def loss(*args: Any, **kwargs: Any) -> Any:
            value = function(*args, **kwargs)
            if torch.is_grad_enabled() and value.ndim == 0:
                losses.append(float(value.detach()))
            return value

        return loss

    for name in LOSSES:
        setattr(F, name, heard(getattr(F, name)))
    sys.argv = [program]
    sys.path.insert(0, "")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            runpy.run_path(program, run_name="__main__")
        except Exception as e:  # noqa: BLE001 - whatever ends the run is what PyTorch said
            said.append(f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
    said += [
        f"{w.category.__name__}: {str(w.message).splitlines()[0]}"
        for w in caught
        if "torch" in w.filename.split("/")
    ]
    Path(out).write_text(json.dumps({"losses": losses, "said": list(dict.fromkeys(said))}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
