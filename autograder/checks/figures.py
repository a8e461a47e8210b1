"""What a function draws: its figure, held to what it has to hold.

A function of checks.py says what a figure has to hold, for the arguments that it was drawn from:

    def curves(history):
        return {"curves": [history["train_loss"], history["val_accuracy"]]}

    def grid(images, labels):
        return {"panels": [{"images": [i], "title": str(n)} for i, n in zip(images, labels)]}

`curves` at the top may stand in any of the axes. Of `panels` each is an axes of its own, in order
from the top left; what a panel says of `curves`, `images`, `vertical` (places of upright lines) has
to be among what the axes hold, in any order, `title`, `xlabel`, `ylabel` are texts that have to
occur in theirs, `legend` is true or texts, `framed` whether its frame is drawn. A curve is a list
of heights, or {"x": […], "y": […], "label": text}. With `only: true` there are no further axes.
For examples in assignment.yml, `holds:` says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..model import Array, Evidence, Outcome, ProbeRequest, Status, Visibility
from . import own
from .answers import TAMPERED
from .base import Context, Inconclusive, Malformed, Option, check, field_of, require
from .calls import Case, Packer, as_python, example, words_of

CLOSE = 1e-3
"""How near what is drawn must be to what it stands for, relative to its largest value: a picture
shows no more.
"""
_PANEL = {"curves", "images", "vertical", "title", "xlabel", "ylabel", "legend", "framed"}


def _cases(ctx: Context) -> list[Case]:
    if ctx.option("examples"):
        raws = [{k: v for k, v in raw.items() if k != "holds"} for raw in ctx.option("examples")]
        return [c for c in map(example, raws) if isinstance(c, Case)]
    name = str(ctx.option("cases"))
    return list(ctx.names[name](ctx.rng(f"cases/{name}", shared=True)))


def _holds(ctx: Context, cases: Sequence[Case]) -> list[Mapping[str, Any]]:
    """What the figure of each call has to hold."""
    if ctx.option("examples"):
        return [dict(raw["holds"]) for raw in ctx.option("examples")]
    return [ctx.names[str(ctx.option("holds"))](*as_python(c)) for c in cases]


def _request(ctx: Context) -> ProbeRequest:
    packer = Packer()
    calls = [packer.case(c) for c in _cases(ctx)]
    args = {"function": ctx.option("function"), "calls": calls, "seed": ctx.seed}
    return ProbeRequest("figures:call", args, packer.tensors)


def _examine(ctx: Context) -> None:
    public = ctx.spec.visibility is Visibility.PUBLIC
    names = own.names(ctx.assignment, public=True) if public else ctx.names
    drawn = ctx.option("cases") and ctx.option("holds")
    if bool(drawn) == bool(ctx.option("examples")):
        raise Malformed(
            "needs the options 'cases' and 'holds', or 'examples'",
            "name two functions of checks.py, or write examples",
        )
    for option in ("cases", "holds"):
        name = ctx.option(option)
        if name and not callable(names.get(str(name))):
            where = own.PUBLIC if public else own.CHECKS
            raise Malformed(
                f"names '{name}', which {where} does not define", f"define it in {where}"
            )
    for raw in ctx.option("examples", ()):
        if not isinstance(raw, Mapping) or not isinstance(raw.get("holds"), Mapping):
            raise Malformed(
                "has an example that does not say what its figure holds",
                "write - {call: [arguments], holds: {curves: [[...]]}}",
            )
    cases = _cases(ctx)
    if not cases or not all(isinstance(c, Case) for c in cases):
        raise Malformed("has inputs that are not of the form call(...)", "give call(...)")
    for held in _holds(ctx, cases):
        unknown = set(held) - {"curves", "panels", "only"}
        unknown |= {k for panel in held.get("panels", ()) for k in set(panel) - _PANEL}
        if unknown:
            what = f"asks a figure for '{sorted(unknown)[0]}', which is nothing it holds"
            raise Malformed(what, f"one of: curves, panels, only; in a panel {sorted(_PANEL)}")


@check(
    family="figure",
    help="Look at what you drew: which curve is which, and what stands on each axis?",
    bugs=("missing_name", "wrong_value", "pairs_broken"),
    options=(
        Option("function", str, "the function that returns a matplotlib Figure", needed=True),
        Option("cases", str, "the function of checks.py that draws secret arguments"),
        Option("holds", str, "the function of checks.py that says what the figure holds"),
        Option("examples", list, "arguments with what the figure holds, for everybody to read"),
        Option("scales", list, "factors by which a curve may be drawn larger, as [1, 100]"),
    ),
    examine=_examine,
    main=_request,
)
def figure(ctx: Context, main: Evidence) -> Outcome:
    """Whether a figure holds the curves, images and words that it has to."""
    told = field_of(require(main), "figures", list)
    cases = _cases(ctx)
    scales = [float(s) for s in ctx.option("scales", [1.0])]
    for i, (case, held) in enumerate(zip(cases, _holds(ctx, cases), strict=True)):
        words = f"{ctx.option('function')}({words_of(case.args, case.kwargs)})"
        if i >= len(told) or not isinstance(told[i], Mapping):
            raise Inconclusive(Outcome(Status.ERROR, 0.0, (), TAMPERED))
        kind = str(told[i].get("kind"))[:80]
        if kind != "Figure":
            return Outcome.failed(f"{words} returned {kind}, not a Figure", "wrong_value")
        axes = [_Axes(raw, main) for raw in _each(told[i].get("axes"))]
        for fault, bug in _faults(held, axes, scales):
            return Outcome.failed(f"the figure of {words} {fault}", bug)
    return Outcome.passed()


class _Axes:
    """One axes of a figure, as the box tells it."""

    def __init__(self, raw: Mapping[str, Any], evidence: Evidence) -> None:
        self.curves = [
            (_floats(c.get("x")), _floats(c.get("y")), str(c.get("label"))[:200])
            for c in _each(raw.get("curves"))
        ]
        self.joined = list(_joined(self.curves))
        """Curves that were drawn piece by piece, whole."""
        self.vertical = _floats(raw.get("vertical"))
        keys = [str(one.get("key")) for one in _each(raw.get("images"))]
        self.images = [evidence.tensors[k] for k in keys if k in evidence.tensors]
        self.texts = {k: str(raw.get(k))[:200] for k in ("title", "xlabel", "ylabel")}
        legend = raw.get("legend")
        self.legend = [str(t) for t in legend] if isinstance(legend, list) else []
        self.framed = raw.get("framed") is True

    @property
    def filled(self) -> bool:
        """Whether anything can be seen of it."""
        return bool(self.curves or self.images or len(self.vertical) or self.framed)


def _each(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list; none of anything else."""
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _floats(values: Any) -> Array:
    found = values if isinstance(values, list) else []
    numbers = [v if isinstance(v, int | float) else float("nan") for v in found]
    return np.array(numbers, dtype=np.float64)


_Curve = tuple[Array, Array, str]


def _joined(curves: Sequence[_Curve]) -> Iterator[_Curve]:
    """The curves that pieces make up, each a dot or the stretch from one point to the next, as a
    loop draws them: all pieces there are, and those of one label.
    """
    pieces = [c for c in curves if len(c[0]) == len(c[1]) and len(c[0]) in (1, 2)]
    labels = {label for _, _, label in pieces}
    for chosen in (labels, *({label} for label in sorted(labels))):
        points: list[tuple[float, float]] = []
        for x, y, label in pieces:
            if label in chosen:
                new = list(zip(x.tolist(), y.tolist(), strict=True))
                points += new[1:] if points and new[0] == points[-1] else new
        if len(points) > 1:
            drawn = np.array(points, dtype=np.float64)
            yield drawn[:, 0], drawn[:, 1], " ".join(sorted(chosen))


def _near(want: Any, got: Array) -> bool:
    right = np.asarray(want, dtype=np.float64)
    if right.shape != got.shape:
        return False
    size = float(np.abs(right).max()) if right.size else 0.0
    return bool(np.allclose(got, right, rtol=CLOSE, atol=CLOSE * max(size, 1e-9)))


def _drawn(curve: Any, axes: Sequence[_Axes], scales: Sequence[float]) -> bool:
    """Whether a curve is among those of some axes."""
    want = curve if isinstance(curve, Mapping) else {"y": curve}
    ys = np.asarray(want["y"], dtype=np.float64)
    return any(
        any(_near(ys * s, y) for s in scales)
        and ("x" not in want or _near(want["x"], x))
        and str(want.get("label", "")).casefold() in label.casefold()
        for one in axes
        for x, y, label in (*one.curves, *one.joined)
    )


def _named(curve: Any, index: int) -> str:
    label = curve.get("label") if isinstance(curve, Mapping) else None
    return f"'{label}'" if label else f"number {index + 1}"


def _faults(
    held: Mapping[str, Any], axes: Sequence[_Axes], scales: Sequence[float]
) -> Iterator[tuple[str, str]]:
    """What a figure lacks, each with the bug it is."""
    count = sum(len(one.curves) for one in axes)
    for i, curve in enumerate(held.get("curves", ())):
        if not _drawn(curve, axes, scales):
            yield f"has {count} curves, and none of them is {_named(curve, i)}", "wrong_value"
    panels = list(held.get("panels", ()))
    filled = [one for one in axes if one.filled]
    if len(filled) < len(panels) or (held.get("only") and len(filled) != len(panels)):
        yield f"has {len(filled)} axes, where {len(panels)} are asked for", "wrong_value"
        return
    for k, panel in enumerate(panels):
        for fault in _panel_faults(panel, filled[k], scales):
            others = (one for j, one in enumerate(filled) if j != k)
            moved = any(not list(_panel_faults(panel, one, scales)) for one in others)
            order = "; another axes has it" if moved else ""
            yield f"{fault} (axes {k + 1}){order}", "pairs_broken" if moved else "wrong_value"


def _panel_faults(panel: Mapping[str, Any], axes: _Axes, scales: Sequence[float]) -> Iterator[str]:
    """What one axes lacks."""
    for i, curve in enumerate(panel.get("curves", ())):
        if not _drawn(curve, [axes], scales):
            yield f"does not show curve {_named(curve, i)}"
    for image in panel.get("images", ()):
        want = np.asarray(image, dtype=np.float64)
        if not any(_near(want, got) for got in axes.images):
            shapes = ", ".join(str(got.shape) for got in axes.images) or "none"
            yield f"does not show the image of shape {want.shape}; images there: {shapes}"
    for at in panel.get("vertical", ()):
        if not any(abs(v - at) <= CLOSE * max(1.0, abs(at)) for v in axes.vertical):
            yield f"has no upright line at {at:g}"
    for name, text in axes.texts.items():
        asked = panel.get(name)
        if asked is True and not text.strip():
            yield f"has no {name}"
        elif isinstance(asked, str) and asked.casefold() not in text.casefold():
            yield f"has the {name} '{text[:40]}', where '{asked}' is asked for"
    legend = panel.get("legend")
    if legend is True and not axes.legend:
        yield "has no legend"
    for text in legend if isinstance(legend, list) else ():
        if not any(str(text).casefold() in one.casefold() for one in axes.legend):
            yield f"has no legend that says '{text}'"
    if "framed" in panel and bool(panel["framed"]) != axes.framed:
        yield "draws its frame" if axes.framed else "has no frame"
