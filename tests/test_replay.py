"""The trajectories: right by torch's own optimizer, and far enough apart to be told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from autograder.checks.replay import (
    BEATS,
    OBJECTIVES,
    TOLERANCE,
    Recipe,
    Scene,
    make_scene,
    match,
    recipes,
    simulate,
)
from autograder.inside.probes.nets import Diary, Net
from torch import nn

SCENES = {
    "plain": make_scene(np.random.default_rng(1)),
    "other": make_scene(np.random.default_rng(2), momentum=0.9, smoothing=0.2, lr=2.0),
}


def torch_run(scene: Scene) -> np.ndarray:
    """The correct loop in float32, by torch's own module, loss and optimizer."""
    tensors = {k: torch.from_numpy(v.copy()) for k, v in scene.tensors().items()}
    net = Net(tensors, Diary()).train()
    sgd = torch.optim.SGD(net.parameters(), lr=scene.lr, momentum=scene.momentum)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=scene.smoothing)
    seen = [net.vector()]
    for i in range(0, len(scene.labels), scene.batch):
        sgd.zero_grad()
        x, y = tensors["images"][i : i + scene.batch], tensors["labels"][i : i + scene.batch]
        loss_fn(net(x), y).backward()
        sgd.step()
        seen.append(net.vector())
    return torch.stack(seen).numpy()


@pytest.mark.parametrize("name", SCENES)
def test_the_correct_trajectory_is_torchs_own(name: str) -> None:
    scene = SCENES[name]
    found = match(scene, torch_run(scene))
    assert found.recipe == Recipe()
    assert found.distance < 1e-5
    assert found.follows == len(scene.sizes)


@pytest.mark.parametrize("name", SCENES)
def test_every_known_loop_is_named_by_its_last_weights(name: str) -> None:
    """Rounded to float32, each end is matched to a recipe with the same bugs."""
    scene = SCENES[name]
    for recipe in recipes(scene):
        if recipe.clip is not None or not recipe.momentum:
            continue
        trajectory = simulate(scene, recipe)
        found = match(scene, trajectory.weights.astype(np.float32))
        assert found.recipe is not None
        assert found.recipe.bugs == recipe.bugs, (recipe, found)


def test_single_bugs_lie_far_apart() -> None:
    scene = SCENES["plain"]
    single = [r for r in recipes(scene) if r.faults < 2 and r.clip is None]
    length = np.linalg.norm(simulate(scene, Recipe()).last - scene.start)
    for a, b in combinations(single, 2):
        apart = np.linalg.norm(simulate(scene, a).last - simulate(scene, b).last) / length
        assert apart > 5 * TOLERANCE, (a, b, apart)


def test_correct_gradients_are_too_small_to_be_clipped() -> None:
    for scene in SCENES.values():
        plain = simulate(scene, Recipe()).last
        clipped = simulate(scene, Recipe(clip=1.0)).last
        assert np.array_equal(plain, clipped)


def test_a_tighter_clip_is_recognised_and_names_no_bug() -> None:
    scene = SCENES["plain"]
    found = match(scene, simulate(scene, Recipe(clip=0.1)).weights)
    assert found.recipe == Recipe(clip=0.1)
    assert found.recipe.bugs == ()


def test_an_unknown_loop_is_placed_but_not_named() -> None:
    scene = SCENES["plain"]
    weights = simulate(scene, Recipe()).weights.copy()
    weights[4:] += np.random.default_rng(0).normal(0, 0.05, weights[4:].shape)
    found = match(scene, weights)
    assert found.recipe is None
    assert found.follows == 3


def test_weights_that_never_move_are_still() -> None:
    scene = SCENES["plain"]
    assert match(scene, np.stack([scene.start, scene.start])).still


def test_every_part_of_a_recipe_has_its_bugs_listed() -> None:
    for objective in OBJECTIVES:
        for beats in BEATS:
            assert Recipe(objective, beats).bugs == OBJECTIVES[objective] + BEATS[beats]
    assert Recipe(training=False).bugs == ("missing_train_mode",)
