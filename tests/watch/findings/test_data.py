"""What the flight record says of data: order, splits, augmentation, statistics."""

from __future__ import annotations

import pytest

from autograder.watch.findings import findings
from tests.recorded import bugs, watched

TASK = """
x = torch.randn(96, 12) * 3 + 1
y = (x[:, 0] > 1).long()
train, test = TensorDataset(x[:64], y[:64]), TensorDataset(x[64:], y[64:])
"""
LOOP = """
net = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2))
sgd = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(3):
    net.train()
    for xb, yb in train_loader:
        sgd.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        sgd.step()
    net.eval()
    right = 0
    with torch.no_grad():
        for xb, yb in test_loader:
            right += (net(xb).argmax(1) == yb).sum().item()
"""
LOADERS = """
train_loader = DataLoader(train, batch_size=16, shuffle=True)
test_loader = DataLoader(test, batch_size=16)
"""


def of(task: str = TASK, loaders: str = LOADERS, loop: str = LOOP) -> list[str]:
    return bugs(task + loaders + loop)


def test_a_plain_loop_is_left_alone() -> None:
    assert of() == []


@pytest.mark.parametrize(
    "loaders",
    [
        "train_loader = DataLoader(train, batch_size=16)",
        "train_loader = DataLoader(train, 16, sampler=torch.randperm(64).tolist())",
    ],
)
def test_one_order_for_every_epoch_is_named(loaders: str) -> None:
    assert of(loaders=loaders + "\ntest_loader = DataLoader(test, 16)") == ["train_not_shuffled"]


@pytest.mark.parametrize(
    "loaders",
    [
        "train_loader = DataLoader(train, 16, sampler=torch.utils.data.RandomSampler(train))",
        "train_loader = DataLoader(train, batch_size=64)",
        "train_loader = DataLoader(train, 16, shuffle=True, generator=torch.Generator())",
        (
            "class Fresh(torch.utils.data.Sampler):\n"
            "    def __iter__(self): return iter(torch.randperm(64).tolist())\n"
            "    def __len__(self): return 64\n"
            "train_loader = DataLoader(train, 16, sampler=Fresh())"
        ),
    ],
)
def test_any_way_to_shuffle_and_a_full_batch_pass(loaders: str) -> None:
    assert of(loaders=loaders + "\ntest_loader = DataLoader(test, 16)") == []


EACH = """
net = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2))
sgd = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(3):
    g = torch.Generator().manual_seed(SEED)
    for xb, yb in DataLoader(TensorDataset(x, y), 16, shuffle=True, generator=g):
        sgd.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        sgd.step()
"""


def test_a_new_loader_with_the_same_seed_each_epoch_is_named() -> None:
    assert bugs(TASK + EACH.replace("SEED", "7")) == ["train_not_shuffled"]
    assert bugs(TASK + EACH.replace("SEED", "7 + epoch")) == []


def test_a_series_keeps_its_order() -> None:
    source = """
    x = torch.randn(40, 6, 2).cumsum(1)
    y = (x[:, -1, 0] > 0).long()
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.GRU(2, 8, batch_first=True), nn.Linear(8, 2)
        def forward(self, x):
            return self.out(self.rnn(x)[0][:, -1])
    net = Net()
    adam = torch.optim.Adam(net.parameters())
    for epoch in range(2):
        for xb, yb in loader:
            adam.zero_grad()
            F.cross_entropy(net(xb), yb).backward()
            adam.step()
    """
    assert bugs(source) == []


def test_a_shuffled_evaluation_is_a_note() -> None:
    shuffled = LOADERS.replace("(test, batch_size=16)", "(test, 16, shuffle=True)")
    log = watched(TASK + shuffled + LOOP)
    assert [(f.bug, f.kind) for f in findings(log)] == [("eval_shuffled", "note")]


AUGMENTED = """
class Noisy(torch.utils.data.Dataset):
    def __init__(self, x, y, augment):
        self.x, self.y, self.augment = x, y, augment
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        x = self.x[i]
        return (x + 0.1 * torch.randn(12) if self.augment else x), self.y[i]
train, test = Noisy(x[:64], y[:64], True), Noisy(x[64:], y[64:], AUGMENT)
"""


def test_an_augmented_evaluation_is_named() -> None:
    assert of(TASK + AUGMENTED.replace("AUGMENT)", "True)")) == ["eval_augmented"]
    shared = AUGMENTED.replace("AUGMENT)", "True)") + (
        "whole = Noisy(x, y, True)\ntrain, test = torch.utils.data.random_split(whole, [64, 32])\n"
    )
    assert of(TASK + shared) == ["eval_augmented"]


def test_an_augmented_training_set_and_augmentation_at_test_time_pass() -> None:
    assert of(TASK + AUGMENTED.replace("AUGMENT)", "False)")) == []
    several = LOOP.replace(
        "        for xb, yb in test_loader:\n            right +=",
        "        for view in range(3):\n            for xb, yb in test_loader:\n"
        "                right +=",
    )
    assert of(TASK + AUGMENTED.replace("AUGMENT)", "True)"), loop=several) == []


@pytest.mark.parametrize(
    "split",
    [
        "train, test = TensorDataset(x[:72], y[:72]), TensorDataset(x[60:], y[60:])",
        (
            "whole = TensorDataset(x, y)\norder = torch.randperm(96)\n"
            "from torch.utils.data import Subset\n"
            "train, test = Subset(whole, order[:80]), Subset(whole, order[64:])"
        ),
        (
            "order = torch.randperm(96)\na, b = order[:80], order[64:]\n"
            "train, test = TensorDataset(x[a], y[a]), TensorDataset(x[b], y[b])"
        ),
        (
            "from torch.utils.data import Subset\ntrain = TensorDataset(x, y)\n"
            "test = Subset(train, range(64, 96))"
        ),
    ],
)
def test_samples_on_both_sides_of_a_split_are_named(split: str) -> None:
    assert of(TASK + split) == ["split_overlap"]


@pytest.mark.parametrize(
    "split",
    [
        "train, test = torch.utils.data.random_split(TensorDataset(x, y), [64, 32])",
        (
            "x = torch.randint(0, 2, (96, 12)).float()\nx[:, 2:] = 0\ny = x[:, 0].long()\n"
            "train, test = TensorDataset(x[:64], y[:64]), TensorDataset(x[64:], y[64:])"
        ),
        (
            "x[64:] = x[:32][torch.randperm(32)]\ny[64:] = 0\n"  # other rows of equal values
            "train, test = TensorDataset(x[:64], y[:64]), TensorDataset(x[64:], y[64:])"
        ),
    ],
)
def test_splits_without_a_shared_sample_pass(split: str) -> None:
    assert of(TASK + split) == []


SAMPLERS = """
from torch.utils.data import SubsetRandomSampler
whole, order = TensorDataset(x, y), torch.randperm(96).tolist()
train_loader = DataLoader(whole, 16, sampler=SubsetRandomSampler(order[:64]))
val_loader = test_loader = DataLoader(whole, 16, sampler=SubsetRandomSampler(order[FROM:]))
"""


def test_a_split_by_samplers_is_what_they_give_out() -> None:
    assert of(loaders=SAMPLERS.replace("FROM", "64")) == []
    assert of(loaders=SAMPLERS.replace("FROM", "50")) == ["split_overlap"]


def test_a_look_at_the_training_accuracy_is_no_shuffled_evaluation() -> None:
    look = LOOP + LOOP[LOOP.index("    net.eval()") :].replace("test_loader", "train_loader")
    assert findings(watched(TASK + LOADERS + look)) == ()


def test_evaluating_on_the_training_set_passes_unless_it_is_called_a_test() -> None:
    same = "train = test = TensorDataset(x, y)"
    assert of(TASK + same) == ["split_overlap"]
    assert bugs(TASK + same + (LOADERS + LOOP).replace("test_loader", "again")) == []


def test_the_folds_of_a_cross_validation_pass() -> None:
    source = TASK + (
        "from torch.utils.data import Subset\nwhole = TensorDataset(x, y)\n"
        "for fold in range(3):\n"
        "    held = list(range(32 * fold, 32 * fold + 32))\n"
        "    train = Subset(whole, [i for i in range(96) if i not in held])\n"
        "    test = Subset(whole, held)\n"
    )
    body = (LOADERS + LOOP).replace("\n", "\n    ")
    assert bugs(source + body) == []


SCALED = {
    "both": "x = (x - x.mean(0)) / x.std(0)",
    "both, by one number": "x = (x - x.mean()) / x.std(correction=0)",
    "each": "x[:64] = (x[:64] - x[:64].mean(0)) / x[:64].std(0)\n"
    "x[64:] = (x[64:] - x[64:].mean(0)) / x[64:].std(0)",
    "extremes": "low, high = x.amin(0), x.amax(0)\nx = (x - low) / (high - low)",
    "training": "m, s = x[:64].mean(0), x[:64].std(0)\nx = (x - m) / s",
    "constants": "x = (x - 1.0) / 3.0",
    "training extremes": "low, high = x[:64].amin(0), x[:64].amax(0)\nx = (x - low) / (high - low)",
    "nothing": "",
}
AGAIN = "\ntrain, test = TensorDataset(x[:64], y[:64]), TensorDataset(x[64:], y[64:])\n"


@pytest.mark.parametrize("how", ["both", "both, by one number", "each", "extremes"])
def test_statistics_that_saw_the_evaluation_are_named(how: str) -> None:
    assert of(TASK + SCALED[how] + AGAIN) == ["stats_leakage"]


@pytest.mark.parametrize("how", ["training", "constants", "training extremes", "nothing"])
def test_statistics_of_the_training_set_and_published_ones_pass(how: str) -> None:
    assert of(TASK + SCALED[how] + AGAIN) == []


BY_HAND = """
X, y = x[:, :], y
net = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2))
sgd = torch.optim.SGD(net.parameters(), lr=0.05)
SPLIT
for epoch in range(3):
    for i in ORDER:
        sgd.zero_grad()
        F.cross_entropy(net(Xtr[i]), ytr[i]).backward()
        sgd.step()
    with torch.no_grad():
        right = (net(Xte).argmax(1) == yte).float().mean().item()
"""
SPLITS = {
    "apart": "p, q = torch.randperm(96).split([64, 32])\n"
    "Xtr, ytr, Xte, yte = X[p], y[p], X[q], y[q]",
    "mixed": "p, q = torch.randperm(96)[:70], torch.randperm(96)[:30]\n"
    "Xtr, ytr, Xte, yte = X[p], y[p], X[q], y[q]",
    "itself": "Xtr, ytr, Xte, yte = X, y, X, y",
    "a part": "Xtr, ytr, Xte, yte = X, y, X[:30], y[:30]",
    "everything": "Xtr, ytr, Xte, yte = X[:64], y[:64], X, y",
}


@pytest.mark.parametrize(("split", "named"), [(k, k == "mixed") for k in SPLITS])
def test_rows_are_followed_where_there_is_no_loader(split: str, named: bool) -> None:
    source = BY_HAND.replace("SPLIT", SPLITS[split])
    shuffled = source.replace("ORDER", "torch.randperm(len(Xtr)).split(16)")
    assert bugs(TASK + shuffled) == (["split_overlap"] if named else [])


def test_hand_made_batches_in_one_order_are_a_bug_where_they_are_sorted_by_class() -> None:
    source = BY_HAND.replace("SPLIT", SPLITS["apart"] + "\nSORT")
    source = source.replace("ORDER", "torch.arange(64).split(16)")
    by_class = "s = ytr.argsort()\nXtr, ytr = Xtr[s], ytr[s]"
    assert bugs(TASK + source.replace("SORT", by_class)) == ["train_not_shuffled"]
    log = watched(TASK + source.replace("SORT", ""))
    assert [(f.bug, f.kind) for f in findings(log)] == [("train_not_shuffled", "note")]


STANDARD = {
    "both": "X = (X - X.mean(0)) / X.std(0)",
    "training": "m, s = X[:64].mean(0), X[:64].std(0)\nX = (X - m) / s",
}


@pytest.mark.parametrize("how", STANDARD)
def test_statistics_are_followed_where_there_is_no_loader(how: str) -> None:
    split = STANDARD[how] + "\nXtr, ytr, Xte, yte = X[:64], y[:64], X[64:], y[64:]"
    source = BY_HAND.replace("SPLIT", split).replace("ORDER", "torch.randperm(64).split(16)")
    assert bugs(TASK + source) == (["stats_leakage"] if how == "both" else [])
