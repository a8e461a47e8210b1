"""Checkpoints: which epoch was saved, in which form, and what it scores."""

from __future__ import annotations

import pytest

from tests.lab import changed, lost, results

FILE = ("checkpoint_exists", "checkpoint_reloads", "checkpoint_best", "best_acc")
SAVE = '        torch.save(model.state_dict(), "best_mlp.pt")\n'
TRIED = "train_one_epoch()\nprint(evaluate())\ntrain_one_epoch()\n"
ANEW = "model = MLP()\noptimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n"
OF_COPY = "best = kept.state_dict()\n"
END = 'torch.save(best, "best_mlp.pt")\n'

ALL = """\
    def all(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

"""
RIGHT = {
    "as it is": (),
    "cloned, written at the end": (
        (SAVE, "        best = {k: v.clone() for k, v in model.state_dict().items()}\n" + END),
    ),
    "deep-copied model, written at the end": (
        (SAVE, "        import copy; kept = copy.deepcopy(model)\n" + OF_COPY + END),
    ),
    "under a key, beside other things": (
        ("model.state_dict(), ", "{'model': model.state_dict(), 'epoch': epoch, 'acc': acc}, "),
    ),
    "the last one too, in another file": (
        (SAVE, SAVE + "    torch.save(model.state_dict(), 'last.pt')\n"),
    ),
    "a path, and loaded again at the end": (
        (SAVE, SAVE.replace('"best_mlp.pt"', "__import__('pathlib').Path('best_mlp.pt')")
         + "model = MLP()\nmodel.load_state_dict(torch.load('best_mlp.pt'))\n"
           "assert abs(evaluate() - best_acc) < 1e-6\n"),
    ),
    "a baseline before training": (("best_acc = 0.0\n", "best_acc = 0.0\nprint(evaluate())\n"),),
    "more epochs": (("range(3)", "range(5)"),),
    "tried out above": (("best_acc = 0.0\n", TRIED + "best_acc = 0.0\n"),),
    "tried out above, then begun anew": (("best_acc = 0.0\n", TRIED + ANEW + "best_acc = 0.0\n"),),
    "tried out below": ((SAVE, SAVE + "train_one_epoch()\n"),),
    "evaluated in the program itself": (
        ("    acc = evaluate()\n",
         "    acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 300\n"),
    ),
}  # fmt: skip
WRONG = {
    "saves_last_not_best": ("checkpoint_best", ((SAVE, SAVE.strip() + "\n"),)),
    "best_weights_aliased": (
        "checkpoint_best",
        ((SAVE, "        best = model.state_dict()\n" + END),),
    ),
    "pickles_whole_model": ("checkpoint_reloads", (("model.state_dict(), ", "model, "),)),
    "wrong_checkpoint": ("checkpoint_exists", ((SAVE, ""),)),
    "wrong_value": (
        "best_acc",
        (
            ("        best_acc = acc\n", ""),
            ("    if acc >", "    old, best_acc = best_acc, acc\n    if acc >"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    assert lost(changed(*RIGHT[style]), *FILE) == {}


@pytest.mark.parametrize("above", ["", TRIED, TRIED + ANEW])
@pytest.mark.parametrize("bug", ["saves_last_not_best", "best_weights_aliased"])
def test_the_epoch_in_the_file_is_told(bug: str, above: str) -> None:
    check, changes = WRONG[bug]
    found = lost(changed(*changes, ("best_acc = 0.0\n", above + "best_acc = 0.0\n")), *FILE)
    assert found.pop(check) == (bug,)
    assert set(found) <= {"checkpoint_reloads"}  # by chance the last epoch may be the best
    assert all(bugs == (bug,) for bugs in found.values())


def test_saving_in_every_epoch_is_saving_the_last() -> None:
    found = lost(changed((SAVE, SAVE.removeprefix("    "))), *FILE)
    assert found["checkpoint_best"] == ("saves_last_not_best",)


@pytest.mark.parametrize("value", ["v.cpu()", "v.detach()"])
def test_a_reference_kept_in_a_shallow_copy_is_an_alias_too(value: str) -> None:
    kept = f"        best = {{k: {value} for k, v in model.state_dict().items()}}\n" + END
    assert lost(changed((SAVE, kept)), *FILE)["checkpoint_best"] == ("best_weights_aliased",)


def test_a_pickled_model_is_named_once() -> None:
    found = lost(changed(*WRONG["pickles_whole_model"][1]), *FILE)
    assert found == {"checkpoint_reloads": ("pickles_whole_model",), "checkpoint_best": ()}


def test_a_missing_file_leaves_best_acc_its_points() -> None:
    found = lost(changed(*WRONG["wrong_checkpoint"][1]), *FILE)
    assert found["checkpoint_exists"] == ("wrong_checkpoint",)
    assert "best_acc" not in found


def test_weights_that_no_parameter_lists_are_the_cause_named() -> None:
    hidden = "self.layers = [nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10)]\n"
    source = changed(
        ("self.fc1 = nn.Linear(784, hidden)\n", hidden),
        ("        self.act = nn.ReLU()\n        self.fc2 = nn.Linear(hidden, 10)\n", ""),
        ("return self.fc2(self.act(self.fc1(x.flatten(1))))", "return self.all(x.flatten(1))"),
        ("    def forward", f"{ALL}    def forward"),
        ("AdamW(model.parameters()", "AdamW(model.layers[2].parameters()"),
    )
    found = lost(source, *FILE)
    assert found == {"checkpoint_reloads": ("unregistered_modules",), "checkpoint_best": ()}


def test_a_file_without_one_of_the_layers_does_not_bring_the_model_back() -> None:
    source = changed(
        (
            "        self.fc2 = nn.Linear(hidden, 10)\n",
            "        head = nn.Linear(hidden, 10)\n        self.fc2 = lambda h: head(h)\n",
        )
    )
    assert lost(source, *FILE) == {"checkpoint_reloads": ("unregistered_modules",)}


def test_best_acc_of_the_last_epoch_is_told() -> None:
    check, changes = WRONG["wrong_value"]
    source = changed(*changes).replace("if acc > best_acc", "if acc > old")
    found = results(source, *FILE)
    assert found[check].bugs == ("wrong_value",)
    assert "best_acc was 0.7" in found[check].message


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("optimizer.state_dict(), ", "not a state_dict"),
        ("{'net.' + k: v for k, v in model.state_dict().items()}, ", "does not load into a new"),
        ("MLP(64).state_dict(), ", "does not load into a new"),
        ("[acc], ", "not a state_dict"),
        ("{'w': np.float64(acc)}, ", "torch.load refuses"),
    ],
)
def test_a_file_of_something_else_is_refused(written: str, words: str) -> None:
    found = results(changed(("model.state_dict(), ", written)), *FILE)
    assert found["checkpoint_reloads"].bugs == ("wrong_checkpoint",)
    assert words in found["checkpoint_reloads"].message


def test_a_file_that_does_harm_when_unpickled_does_none(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    mark = tmp_path_factory.mktemp("mark") / "harmed"
    bomb = f"class Bomb:\n    def __reduce__(self):\n        return (open, ({str(mark)!r}, 'w'))\n"
    source = changed(
        ("best_acc = 0.0\n", bomb + "best_acc = 0.0\n"), ("model.state_dict(), ", "Bomb(), ")
    )
    assert results(source, *FILE)["checkpoint_reloads"].bugs == ("wrong_checkpoint",)
    assert not mark.exists()
