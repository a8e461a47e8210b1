"""`figure`: what a matplotlib figure holds, by whatever calls it was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from autograder.errors import ConfigError
from tests.own_checks import Lab, outline

mpl.use("Agg")
import matplotlib.pyplot  # noqa: F401, ICN001 - once, and not in every fork

CHECKS = """
    import numpy as np
    from autograder.checks.calls import call

    def histories(rng):
        yield call({"train": rng.uniform(0, 2, 5).tolist(), "val": rng.uniform(0, 1, 5).tolist()})

    def curves(history):
        return {"curves": [{"y": h, "label": name} for name, h in history.items()]}

    def joined(history):
        panel = {"curves": list(history.values()), "legend": True, "xlabel": True, "vertical": [3]}
        return {"panels": [panel], "only": True}

    def images(rng):
        yield call(rng.uniform(size=(3, 4, 5)).astype("float32"), [7, 8, 9])

    def grid(images, labels):
        panels = [
            {"images": [image], "title": str(label), "framed": False}
            for image, label in zip(images, labels)
        ]
        return {"panels": panels, "only": True}
"""
PLT = "import matplotlib.pyplot as plt\n"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, checks=CHECKS)


def drawn(**options: Any) -> dict[str, Any]:
    return {"use": "figure", "with": {"function": "draw", **options}}


CURVES = drawn(cases="histories", holds="curves")
JOINED = drawn(cases="histories", holds="joined")
GRID = drawn(cases="images", holds="grid")


@pytest.mark.parametrize(
    "body",
    [
        """fig, ax = plt.subplots()
        for k, v in h.items(): ax.plot(v, label=k)
        return fig""",
        """fig, ax = plt.subplots(1, 2)
        for a, (k, v) in zip(ax, h.items()): a.plot(v, label=k)
        return fig""",
        """fig, ax = plt.subplots()
        ax.scatter(range(5), h['train'], label='train')
        ax.twinx().bar(range(5), h['val'], label='val')
        return fig""",
        """plt.figure()
        for k, v in h.items(): plt.plot(torch.tensor(v), label=k)
        return plt.gcf()""",
        """fig, ax = plt.subplots()
        for k, v in h.items():
            for i, one in enumerate(v): ax.plot([i], [one], 'o', label=k)
        return fig""",
        """fig, ax = plt.subplots()
        for i, one in enumerate(h['train']): ax.scatter(i, one, label='train')
        for i in range(4): ax.plot([i, i + 1], h['val'][i:i + 2], color='b', label='val')
        return fig""",
    ],
)
def test_curves_may_be_drawn_in_any_way(lab: Lab, body: str) -> None:
    found = lab.one(f"{PLT}def draw(h):\n        {body}\n", CURVES)
    assert outline(found) == ("passed", []), found.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("fig, ax = plt.subplots(); ax.plot(h['train'], label='train'); return fig", "'val'"),
        (
            "fig, ax = plt.subplots(); [ax.plot(v[1:], label=k) for k, v in h.items()]; return fig",
            "none",
        ),
        ("fig, ax = plt.subplots(); [ax.plot(v) for k, v in h.items()]; return fig", "none"),
        (
            (
                "fig, ax = plt.subplots()\n    for k, v in h.items():\n"
                "        for i, one in enumerate(v[1:]): ax.plot([i], [one], 'o', label=k)\n"
                "    return fig"
            ),
            "none",
        ),
        ("fig, ax = plt.subplots(); return ax", "returned Axes, not a Figure"),
        ("plt.plot(h['train'])", "returned NoneType"),
    ],
)
def test_a_missing_curve_is_told(lab: Lab, body: str, said: str) -> None:
    found = lab.one(f"{PLT}def draw(h):\n    {body}\n", CURVES)
    assert outline(found) == ("failed", ["wrong_value"]) and said in found.message


def test_percent_is_allowed_where_the_assignment_says_so(lab: Lab) -> None:
    body = "fig, ax = plt.subplots(); [ax.plot(100 * np.array(v), label=k) for k, v in h.items()]"
    program = f"{PLT}def draw(h):\n    {body}\n    return fig\n"
    assert outline(lab.one(program, CURVES))[0] == "failed"
    scaled = drawn(cases="histories", holds="curves", scales=[1, 100])
    assert outline(lab.one(program, scaled))[0] == "passed"


FULL = """
def draw(h):
    fig, ax = plt.subplots()
    for k, v in h.items():
        ax.plot(v, label=k)
    ax.axvline(3, linestyle=":")
    ax.set_xlabel("epoch")
    ax.legend()
    return fig
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("ax.axvline(3,", "ax.axvline(2,"), "no upright line at 3"),
        (("    ax.legend()\n", ""), "no legend"),
        (('    ax.set_xlabel("epoch")\n', ""), "no xlabel"),
        (("    return fig", "    fig.add_subplot(2, 2, 4)\n    return fig"), "has 2 axes"),
        (("ax.plot(v, label=k)", "ax.plot(h['val'], label=k)"), "does not show curve"),
    ],
)
def test_one_panel_holds_all_that_is_asked_of_it(
    lab: Lab, change: tuple[str, str], said: str
) -> None:
    assert outline(lab.one(PLT + FULL, JOINED)) == ("passed", [])
    lines = FULL.replace('ax.axvline(3, linestyle=":")', "ax.vlines([3], 0, 1)")
    assert outline(lab.one(PLT + lines, JOINED)) == ("passed", [])
    assert change[0] in FULL
    found = lab.one(PLT + FULL.replace(*change), JOINED)
    assert outline(found) == ("failed", ["wrong_value"]) and said in found.message


TILES = """
def draw(images, labels):
    fig, axes = plt.subplots(2, 2)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, label in zip(axes.flat, images, labels):
        ax.imshow(image, cmap="gray")
        ax.set_title(f"label {label}")
    return fig
"""


NO_TICKS = "left=False, bottom=False, labelleft=False, labelbottom=False"


@pytest.mark.parametrize(
    ("without", "status"),
    [
        ('ax.axis("off")', "passed"),
        ("ax.set_frame_on(False); ax.set_xticks([]); ax.set_yticks([])", "passed"),
        ("ax.spines[:].set_visible(False); ax.set(xticks=[], yticks=[])", "passed"),
        (
            "ax.set_frame_on(False); ax.xaxis.set_visible(False); ax.yaxis.set_visible(False)",
            "passed",
        ),
        (f"ax.spines[:].set_visible(False); ax.tick_params({NO_TICKS})", "passed"),
        ("ax.set(xticks=[], yticks=[])", "failed"),
        ("ax.spines[:].set_visible(False)", "failed"),
        ("ax.set_frame_on(False)", "failed"),
        ("ax.tick_params(left=False, bottom=False)", "failed"),
    ],
)
def test_a_frame_may_be_taken_away_in_any_way(lab: Lab, without: str, status: str) -> None:
    program = f"""
def draw(images, labels):
    fig, axes = plt.subplots(1, 3)
    for ax, image, label in zip(axes, images, labels):
        {without}
        ax.imshow(image, cmap="gray")
        ax.set_title(str(label), loc="left")
    return fig
"""
    assert lab.one(PLT + program, GRID).status == status


@pytest.mark.parametrize("turned", [1, -1], ids=["as made", "made backwards"])
@pytest.mark.parametrize("moved", [False, True], ids=["in place", "moved"])
def test_axes_are_read_by_their_places(lab: Lab, turned: int, moved: bool) -> None:
    program = f"""
def draw(images, labels):
    fig = plt.figure()
    for i in list(range(3))[::{turned}]:
        place = 2 - i if {moved} else i
        ax = fig.add_axes((0.5 * (place % 2), 0.5 - 0.5 * (place // 2), 0.4, 0.4))
        ax.axis("off")
        ax.imshow(images[i], cmap="gray")
        ax.set_title(str(labels[i]))
    return fig
"""
    wanted = ("failed", ["pairs_broken"]) if moved else ("passed", [])
    assert outline(lab.one(PLT + program, GRID)) == wanted


@pytest.mark.parametrize(
    ("change", "bugs", "said"),
    [
        (("imshow(image", "imshow(image * 2"), ["wrong_value"], "does not show the image"),
        (("imshow(image", "imshow(image.T"), ["wrong_value"], "(5, 4)"),
        (("images, labels):\n        ax", "images, labels[1:]):\n        ax"), [], ""),
        (("zip(axes.flat, images", "zip(axes.flat, images.flip(0)"), ["wrong_value"], "does not"),
        (('        ax.axis("off")\n', '        ax.axis("on")\n'), ["wrong_value"], "axes"),
        (("zip(axes.flat,", "zip(axes.flat[::-1],"), ["pairs_broken"], "another axes has it"),
        (
            ("zip(axes.flat, images, labels", "zip(axes.flat, images, labels[::-1]"),
            ["wrong_value"],
            "title",
        ),
    ],
)
def test_each_image_stands_in_its_own_place(
    lab: Lab, change: tuple[str, str], bugs: list[str], said: str
) -> None:
    assert outline(lab.one(PLT + TILES, GRID)) == ("passed", [])
    assert change[0] in TILES or not bugs
    found = lab.one(PLT + TILES.replace(*change), GRID)
    if bugs:
        assert outline(found) == ("failed", bugs), found.message
        assert said in found.message


def test_examples_say_what_their_figure_holds(lab: Lab) -> None:
    examples = [{"call": [[1.0, 2.0, 4.0]], "holds": {"curves": [[1, 2, 4]]}}]
    check = {**drawn(examples=examples), "visibility": "public"}
    assert (
        outline(lab.one(f"{PLT}def draw(y):\n    return plt.plot(y)[0].figure\n", check))[0]
        == "passed"
    )
    assert (
        outline(lab.one(f"{PLT}def draw(y):\n    return plt.plot(-y)[0].figure\n", check))[0]
        == "failed"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cases": "histories"}, "'cases' and 'holds'"),
        ({"cases": "histories", "holds": "nothing"}, "does not define"),
        ({"examples": [{"call": [1]}]}, "does not say what"),
        ({"examples": [{"call": [1], "holds": {"curve": []}}]}, "'curve'"),
    ],
)
def test_a_figure_that_cannot_be_asked_for_is_refused(
    lab: Lab, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.assignment(drawn(**options))
    assert said in str(caught.value)
