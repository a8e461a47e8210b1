"""What a function draws: the figure that it returns, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..plain import finite
from ..program import Program
from ..trees import Maker, Tensors
from .own import TEXT

Result = tuple[dict[str, Any], Tensors]
AXES_CAP, CURVES_CAP, POINTS_CAP, PIXELS_CAP, TEXT_CAP = 100, 100, 5_000, 1_000_000, 200


def call(program: Program, args: dict[str, Any], tensors: Tensors) -> Result:
    """Call `args["function"]` once for each of `args["calls"]` (as in `calls:call`).

    Returns `figures`: of each call `kind`, what came back, and of a Figure its visible `axes`, in
    the order in which they are read (rows from the top, each from the left), each with `curves`
    ({"x", "y", "label"}: lines, and the points of scatters and the heights of bars),
    `images` (keys of tensors, {"key"}), `vertical` (the places of upright lines), `title`,
    `xlabel`, `ylabel`, `legend` (its texts), and `framed`, whether its frame is drawn.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    function = program.get(args["function"])
    out: Tensors = {}
    figures = []
    for i, one in enumerate(args["calls"]):
        torch.manual_seed(args["seed"])
        maker = Maker(tensors, TEXT.find)
        positional = [maker.make(t) for t in one["args"]]
        returned = function(*positional, **{k: maker.make(t) for k, t in one["kwargs"].items()})
        told: dict[str, Any] = {"kind": type(returned).__name__[:80], "axes": []}
        if isinstance(returned, Figure):
            told["kind"] = "Figure"
            seen = _as_read([a for a in returned.axes if a.get_visible()][:AXES_CAP])
            told["axes"] = [_axes(a, out, f"{i}.{k}") for k, a in enumerate(seen)]
        figures.append(told)
    return {"figures": figures}, out


def _as_read(axes: list[Any]) -> list[Any]:
    """Axes by their places: rows from the top, each from the left; whoever made them in another
    order drew the same figure. One whose middle is within another's height is in its row; those at
    one place, as twins are, stay in the order in which they were made.
    """
    rows: list[tuple[float, list[tuple[float, Any]]]] = []
    placed = [(a.get_position(original=True).transformed(a.figure.transSubfigure), a) for a in axes]
    for box, a in sorted(placed, key=lambda one: -(one[0].y0 + one[0].y1)):
        middle = (box.y0 + box.y1) / 2
        if not rows or middle < rows[-1][0]:
            rows.append((float(box.y0), []))
        rows[-1][1].append((float(box.x0), a))
    return [a for _, row in rows for _, a in sorted(row, key=lambda one: one[0])]


def _axes(axes: Any, out: Tensors, key: str) -> dict[str, Any]:
    vertical, curves = [], []
    for line in axes.lines:
        xs, ys = _numbers(line.get_xdata()), _numbers(line.get_ydata())
        if len(xs) > 1 and len(set(map(str, xs))) == 1:
            vertical.append(xs[0])
        else:
            curves.append({"x": xs, "y": ys, "label": _text(line.get_label())})
    for group in axes.collections:
        segments = group.get_segments() if hasattr(group, "get_segments") else []
        for segment in list(segments)[:CURVES_CAP]:
            xs = _numbers(p[0] for p in segment)
            vertical += xs[:1] if len(xs) > 1 and len(set(map(str, xs))) == 1 else []
        if not len(segments):
            points = [(p[0], p[1]) for p in group.get_offsets()]
            xs, ys = _numbers(p[0] for p in points), _numbers(p[1] for p in points)
            curves.append({"x": xs, "y": ys, "label": _text(group.get_label())})
    for bars in axes.containers:
        if hasattr(bars, "patches"):
            xs = _numbers(b.get_x() + b.get_width() / 2 for b in bars)
            ys = _numbers(b.get_height() for b in bars)
            curves.append({"x": xs, "y": ys, "label": _text(bars.get_label())})
    images = []
    for k, image in enumerate(axes.images):
        data = torch.as_tensor(image.get_array().filled(float("nan")).astype("float64"))
        if data.numel() <= PIXELS_CAP:
            out[f"{key}.{k}"] = data.clone()
            images.append({"key": f"{key}.{k}"})
    legend = axes.get_legend()
    texts = [] if legend is None else [_text(t.get_text()) for t in legend.get_texts()]
    return {
        "curves": curves[:CURVES_CAP],
        "vertical": vertical[:CURVES_CAP],
        "images": images,
        "title": _text(" ".join(filter(None, map(axes.get_title, ("left", "center", "right"))))),
        "xlabel": _text(axes.get_xlabel()),
        "ylabel": _text(axes.get_ylabel()),
        "legend": texts[:CURVES_CAP],
        "framed": _framed(axes),
    }


def _framed(axes: Any) -> bool:
    """Whether a line of the frame is seen, or a tick on one of its sides."""
    if not axes.axison:
        return False
    frame = axes.get_frame_on() and any(s.get_visible() for s in axes.spines.values())
    sides = [a for a in (axes.xaxis, axes.yaxis) if a.get_visible()]
    parts = ("tick1line", "tick2line", "label1", "label2")
    ticks = (getattr(t, part) for a in sides for t in a.get_major_ticks() for part in parts)
    return frame or any(part.get_visible() for part in ticks)


def _numbers(values: Iterable[Any]) -> list[float | str]:
    return [finite(float(v)) for v in list(values)[:POINTS_CAP]]


def _text(value: Any) -> str:
    return str(value)[:TEXT_CAP]
