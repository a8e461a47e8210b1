"""Two starts of a program, and the wiring that its first step shows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks import programs
from autograder.checks.base import Inconclusive
from autograder.checks.reference import replay
from autograder.checks.reference.images import Known
from autograder.course import config
from autograder.inside import trace
from autograder.model import Evidence
from tests.harness import ROOT
from tests.lab import changed, lost, results

START = ("seeding", "wiring")
KNOWN = Known(np.zeros((2, 4)), np.zeros(2, dtype=np.int64))
LISTS = (
    "shapes",
    "calls",
    "steps",
    "dirty",
    "dtypes",
    "norms",
    "rates",
    "optimizers",
    "spans",
    "still",
)
COUNTS = {"strangers": 0, "unfollowed": 0}
TOLD = {**{key: [] for key in LISTS}, **COUNTS, "letters": "", "scaler": {}}
PRINTS = {"prints": np.zeros(0)}
"""The report of a run in which nothing happened."""


TRIED = """model = MLP().to(device)
trial = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(6):
    trial.zero_grad()
    images, labels = next(iter(train_loader))
    nn.functional.cross_entropy(model(images), labels).backward()
    trial.step()
{seed}model = MLP().to(device)
"""
"""A network that is tried out, and abandoned for another one of the same name."""


def tried(seed: str) -> tuple[tuple[str, str], ...]:
    """A network is tried out without a seed, and `seed` comes before the one that counts."""
    return (("set_seed(0)\n", ""), ("model = MLP().to(device)\n", TRIED.format(seed=seed)))


@pytest.mark.parametrize(
    "changes",
    [
        (),
        tried("set_seed(0)\n"),
        (("torch.manual_seed(seed)", "torch.random.manual_seed(seed)"),),
        (("set_seed(0)\n", "set_seed(0)\nfor _ in range(random.randint(0, 9)): torch.rand(1)\n"),),
        (("shuffle=True", "shuffle=True, generator=torch.Generator().manual_seed(3)"),),
        (("AdamW(", "SGD("),),
        (("set_seed(0)\n", "nn.Linear(4, 2)(torch.zeros(5, 4))\nset_seed(0)\n"),),
    ],
)
def test_a_seeded_program_passes(changes: tuple[tuple[str, str], ...]) -> None:
    assert lost(changed(*changes), *START) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("    torch.manual_seed(seed)\n", ""),), "before the first step"),
        (tried(""), "before the first step"),
        ((("set_seed(0)\n", ""), ("best_acc = 0.0\n", "set_seed(0)\nbest_acc = 0.0\n")), "before"),
        ((("best_acc = 0.0\n", "torch.seed()\nbest_acc = 0.0\n"),), "batch 1 held other images"),
        (
            (
                ("    random.seed(seed)\n", ""),
                (
                    "best_acc = 0.0\n",
                    "torch.manual_seed(random.randint(0, 9**9))\nbest_acc = 0.0\n",
                ),
            ),
            "batch 1 held other images",
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


def test_a_program_that_never_steps_has_not_shown_its_seeds() -> None:
    source = changed(("    model.train()\n", "    raise NotImplementedError\n"))
    found = results(source, "seeding")["seeding"]
    assert found.status == "failed"
    assert "not written yet" in found.message


def test_a_program_that_raises_is_told_where() -> None:
    found = results(changed(("model = MLP()", "oops\nmodel = MLP()")), *START)
    assert found["seeding"].status == "error"
    assert "NameError" in found["seeding"].message
    assert " at line " in found["seeding"].message


OPTIMIZER = "optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n"
ANEW = "train_one_epoch()\nmodel = MLP().to(device)\n"
RELOADED = "model = MLP().to(device)\nmodel.load_state_dict(torch.load('best_mlp.pt'))\n"
BEFORE: dict[str, str] = {
    "made anew with its optimizer": ANEW + OPTIMIZER,
    "kept aside": "train_one_epoch()\nkept = model\nmodel = MLP().to(device)\nevaluate()\n"
    "model = kept\n",
    "a trial of another size": "model = MLP(32).to(device)\n" + OPTIMIZER + "train_one_epoch()\n"
    "model = MLP().to(device)\n" + OPTIMIZER,
}
"""What may stand before the run of a correct program; its objects are bound anew."""
AFTER: dict[str, str] = {
    "made anew": "model = MLP().to(device)\n",
    "reloaded": RELOADED,
    "reloaded and evaluated": RELOADED + "final = evaluate()\n",
    "reloaded and looked at": RELOADED + "model(next(iter(test_loader))[0].to(device)).argmax(1)\n",
    "wrapped": "model = torch.nn.Sequential(model)\n",
    "kept aside": "kept = model\nmodel = MLP()\nevaluate()\nmodel = kept\n",
    "copied": "import copy\nmodel = copy.deepcopy(model)\nevaluate()\n",
    "of another size": "model = MLP(16)\nmodel(torch.rand(2, 1, 28, 28))\n",
}
"""What may stand behind it."""


def all_lost(source: str) -> dict[str, tuple[str, str]]:
    """Every check with points, but the accuracy's, that is not passed, and what it says."""
    spec = config.assignment(ROOT / "assignments" / "05-five-beats" / "assignment.yml")
    asked = [c.id for c in spec.checks if c.points and c.id != "accuracy"]
    found = results(source, *asked)
    return {k: (r.status, r.message) for k, r in found.items() if r.status != "passed"}


@pytest.mark.parametrize("name", BEFORE)
def test_objects_bound_anew_before_the_run_cost_nothing(name: str) -> None:
    assert all_lost(changed(("best_acc = 0.0\n", BEFORE[name] + "best_acc = 0.0\n"))) == {}


@pytest.mark.parametrize("name", AFTER)
def test_a_model_bound_anew_after_the_run_costs_nothing(name: str) -> None:
    assert all_lost(changed() + AFTER[name]) == {}


@pytest.mark.parametrize("before", ["", "train_one_epoch()\n"])
def test_a_wrapped_model_keeps_its_optimizer(before: str) -> None:
    then = before + "model = torch.nn.Sequential(model)\nbest_acc = 0.0\n"
    save = ("torch.save(model.", "torch.save(model[0].")
    assert all_lost(changed(("best_acc = 0.0\n", then), save)) == {}


def test_a_model_made_anew_without_its_optimizer_is_named() -> None:
    source = changed(("best_acc = 0.0\n", ANEW + "best_acc = 0.0\n"))
    assert lost(source, *START) == {"wiring": ("stale_optimizer",)}


@pytest.mark.parametrize("opening", [{}, [[1, 2]], ["x"]])
def test_a_forged_opening_is_refused(opening: object) -> None:
    evidence = Evidence("done", {**TOLD, "opening": opening}, tensors=PRINTS)
    with pytest.raises(Inconclusive, match="opening"):
        replay.read(evidence, KNOWN, ray=1)


def test_what_is_no_number_in_an_opening_is_none() -> None:
    evidence = Evidence("done", {**TOLD, "opening": [[1, 2, 3, [4]]]}, tensors=PRINTS)
    assert np.isnan(replay.read(evidence, KNOWN, ray=1).opening[0][3])


@pytest.mark.parametrize(("seed", "bugs"), [("set_seed(0)\n", None), ("", ("incomplete_seeding",))])
def test_a_network_asked_very_much_before_its_training_is_judged(
    seed: str, bugs: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "ROWS_CAP", 1000)
    asked = "model = MLP().to(device)\nmodel(torch.rand(1001, 784))\n"
    source = changed(("set_seed(0)\n", seed), ("model = MLP().to(device)\n", asked))
    assert lost(source, "seeding") == ({} if bugs is None else {"seeding": bugs})


def test_a_run_without_an_opening_is_no_all_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program would send it that wants its first steps not to be compared."""
    call = SimpleNamespace(pulls=1)
    silent = SimpleNamespace(trained=(call,), calls=(call,), opening=())
    monkeypatch.setattr(programs, "read_run", lambda *_: silent)
    monkeypatch.setattr(programs, "_long_enough", lambda *_: "again")
    found = {name: Evidence("done", TOLD) for name in ("main", "again")}
    with pytest.raises(Inconclusive, match="no first steps were kept"):
        programs.program_seeding.judge(SimpleNamespace(), found)  # type: ignore[arg-type]
