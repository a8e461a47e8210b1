"""Driving one function of the program, on fixtures, with everything it does to the network traced.

One probe serves every form of a training or evaluating function: an epoch (`train_one_epoch`), a
whole fit (`fit_with_validation`), one step (`train_amp_step`), an evaluation. What is compared
outside are the steps that the weights took, so the style of the function does not matter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..plain import described, finite
from ..program import Program, describe
from ..trace import Trace, gradient_norm
from .fixtures import Fixtures

Result = tuple[dict[str, Any], dict[str, Tensor]]
CALLS = 400
"""Forward passes whose images are kept; fixtures are small, and may be fed one image at a time."""


def call(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Call `args["function"]` with the fixtures that `args["arguments"]` names, `calls` times or as
    often as there are groups or batches for.

    args further: `fixture` (the values of `Fixtures`); `keep`, `ray`, `mend` (see `Trace`); `seed`,
    `stand_ins` (names of the program's own functions that PyTorch's take the place of); `script`
    {name of a function of the program's: {part: its answers in order}}: the function does its work,
    and what it answers is exchanged for the next answer to the part of the images it read; `idle`:
    it does no work, and answers for the loader that it is given. Returns
    `Trace.report`, and of each call `returned` (`described`), the gradient norm `left` behind, the
    scaler's scale (`scales`), the rate afterwards (`rates_after`) and the `modes` it left the
    network in; `given`, the index of the optimizer that was handed over (-1: none was); `raised`,
    the error that ended the calls.
    """
    function = program.get(args["function"])
    torch.manual_seed(args["seed"])
    torch.compiler.set_stance("force_eager")
    fixtures = Fixtures(args["fixture"], tensors)
    trace = Trace(
        "model",
        {"model": fixtures.model},
        args["keep"],
        args["ray"],
        calls=CALLS,
        mend=args.get("mend", ""),
    )
    handed = trace.index(fixtures.optimizer) if "optimizer" in args["arguments"] else -1
    _stand_in(program, args.get("stand_ins", []))
    _script(program, trace, fixtures, args.get("script", {}), idle=bool(args.get("idle")))
    told: dict[str, Any] = {
        "returned": [],
        "left": [],
        "scales": [],
        "rates_after": [],
        "modes": [],
        "given": handed,
        "raised": None,
    }
    with trace.watching():
        for k in range(args.get("calls", 1)):
            fixtures.call = k
            given = fixtures.arguments(args["arguments"])
            try:
                with trace.span(args["function"]) as span:
                    returned = function(*given)
                    span.ended = True
            except NotImplementedError:
                raise
            except Exception as e:
                told["raised"] = describe(e, program.files)
                break
            told["returned"].append(described(returned))
            told["left"].append(finite(gradient_norm(list(fixtures.model.parameters()))))
            told["modes"].append(fixtures.model.training)
            told["rates_after"].append(finite(float(fixtures.optimizer.param_groups[0]["lr"])))
            if fixtures.scaler is not None:
                told["scales"].append(finite(float(fixtures.scaler.get_scale())))
            del returned
    data, out = trace.report(fixtures.model)
    return {**data, **told}, out


def _clip_gradients(model: torch.nn.Module, max_norm: float) -> float:
    """PyTorch's clipping under the handout's name."""
    return float(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm))


STAND_INS = {"clip_gradients": _clip_gradients}
"""Functions with checks of their own: one mistake in them should cost one check."""


def _stand_in(program: Program, names: list[str]) -> None:
    program.rebind({n: STAND_INS[n] for n in names if n in program.namespace})


def _script(
    program: Program,
    trace: Trace,
    fixtures: Fixtures,
    script: dict[str, dict[str, list[float]]],
    *,
    idle: bool,
) -> None:
    """Let functions of the program's answer by the script; their calls become spans."""
    told = {name: {part: list(values) for part, values in s.items()} for name, s in script.items()}

    def scripted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        noted = trace.around(name, fixtures.part_of if idle else function)

        @functools.wraps(function)
        def answered(*args: Any, **kwargs: Any) -> Any:
            fixtures.served()  # what was read before this call is nobody's
            returned = noted(*args, **kwargs)
            part = returned if idle else fixtures.served()
            answers = told[name].get(part, [])
            return answers.pop(0) if answers else returned

        return answered

    for name in script:
        function = program.namespace.get(name)
        if callable(function):
            program.rebind({name: scripted(name, function)})
