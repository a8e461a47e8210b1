"""Two starts of a program, and the wiring that its first step shows."""

from __future__ import annotations

import pytest

from autograder.checks import programs as seeding
from autograder.model import Evidence
from tests.lab import changed, lost, results

START = ("seeding", "wiring")


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (("torch.manual_seed(seed)", "torch.random.manual_seed(seed)"),),
        (("set_seed(0)\n", "set_seed(0)\nfor _ in range(random.randint(0, 9)): torch.rand(1)\n"),),
        (("shuffle=True", "shuffle=True, generator=torch.Generator().manual_seed(3)"),),
        (("AdamW(", "SGD("),),
    ],
)
def test_a_seeded_program_passes(changes: tuple[tuple[str, str], ...]) -> None:
    assert lost(changed(*changes), *START) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("    torch.manual_seed(seed)\n", ""),), "before the first step"),
        ((("set_seed(0)\n", ""), ("best_acc = 0.0\n", "set_seed(0)\nbest_acc = 0.0\n")), "before"),
        ((("best_acc = 0.0\n", "torch.seed()\nbest_acc = 0.0\n"),), "differed from step 1 on"),
        (
            (
                ("    random.seed(seed)\n", ""),
                (
                    "best_acc = 0.0\n",
                    "torch.manual_seed(random.randint(0, 9**9))\nbest_acc = 0.0\n",
                ),
            ),
            "differed from step 1 on",
        ),
    ],
)
def test_incomplete_seeding_is_named(changes: tuple[tuple[str, str], ...], words: str) -> None:
    found = results(changed(*changes), *START)
    assert found["seeding"].bugs == ("incomplete_seeding",)
    assert words in found["seeding"].message
    assert found["wiring"].status == "passed"


@pytest.mark.parametrize(
    "change",
    [
        ("scaler = torch", "model = MLP().to(device)\nscaler = torch"),
        ("optimizer = torch", "model.fc1.requires_grad_(False)\noptimizer = torch"),
        ("AdamW(model.parameters()", "AdamW(model.fc2.parameters()"),
    ],
)
def test_an_optimizer_of_other_weights_is_named(change: tuple[str, str]) -> None:
    assert lost(changed(change), *START) == {"wiring": ("stale_optimizer",)}


def test_a_model_exchanged_after_training_is_no_stale_optimizer() -> None:
    source = changed() + "model = MLP()\nmodel.load_state_dict(torch.load('best_mlp.pt'))\n"
    assert lost(source, *START) == {}


def test_a_program_that_never_steps_has_not_shown_its_seeds() -> None:
    found = results(changed(("    model.train()\n", "    raise NotImplementedError\n")), *START)
    assert all(r.status == "failed" and "not written yet" in r.message for r in found.values())


def test_a_program_that_raises_is_told_where() -> None:
    found = results(changed(("best_acc = 0.0\n", "oops\n")), *START)
    assert found["seeding"].status == "error"
    assert "NameError" in found["seeding"].message
    assert " at line " in found["seeding"].message


ANEW = "train_one_epoch()\nmodel = MLP().to(device)\n"
OPTIMIZER = "optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n"


def test_a_model_made_anew_without_its_optimizer_is_named() -> None:
    source = changed(("best_acc = 0.0\n", ANEW + "best_acc = 0.0\n"))
    assert lost(source, *START) == {"wiring": ("stale_optimizer",)}
    assert "after 8 steps" in results(source, *START)["wiring"].message


@pytest.mark.parametrize(
    "then",
    [
        ANEW + OPTIMIZER,
        "train_one_epoch()\nmodel = torch.nn.Sequential(model)\n",
        "train_one_epoch()\nkept = model\nmodel = MLP()\nevaluate()\nmodel = kept\n",
    ],
)
def test_a_new_model_with_a_new_optimizer_and_a_new_name_pass(then: str) -> None:
    assert lost(changed(("best_acc = 0.0\n", then + "best_acc = 0.0\n")), *START) == {}


def test_a_model_reloaded_after_the_last_step_passes() -> None:
    source = changed() + "model = MLP()\nmodel.load_state_dict(torch.load('best_mlp.pt'))\n"
    assert lost(source, *START) == {}


@pytest.mark.parametrize("steps", ["<b>8</b>", None, [8]])
def test_what_a_box_may_lie_about_is_not_repeated(steps: object) -> None:
    told = {"parameters": 4, "held": 0, "steps": steps}
    assert seeding._judge_renewed(Evidence("done", {"renewed": told})) is None
    assert seeding._judge_renewed(Evidence("done", {"renewed": {**told, "steps": 8}})) is not None
