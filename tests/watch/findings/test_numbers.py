"""Figures that a program prints, held against the batches that they were made of."""

from __future__ import annotations

import textwrap

import pytest

from autograder.inside.recorder.texts import pieces, written
from autograder.watch.findings.numbers import figures
from tests.recorded import accusations, bugs, watched

HERE = {"loss_divided_twice", "mean_of_batch_means", "wrong_accuracy"}
PROGRAM = """
X = torch.randn(115, 6)
y = (X[:, 0] + 0.5 * torch.randn(115) > 0).long()
train = DataLoader(TensorDataset(X[:64], y[:64]), 16, shuffle=True)
test = DataLoader(TensorDataset(X[64:], y[64:]), {batch})
net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(3):
    running, n = 0.0, 0
    for xb, yb in train:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item()
        n += len(xb)
    total, summed, right, shares = 0.0, 0.0, 0, 0.0
    with torch.no_grad():
        for xb, yb in test:
            out = net(xb)
            total += F.cross_entropy(out, yb).item()
            summed += F.cross_entropy(out, yb, reduction="sum").item()
            hits = (out.argmax(1) == yb)
            right += hits.sum().item()
            shares += hits.float().mean().item()
    print({printed})
"""


def said(printed: str, batch: int = 24) -> list[str]:
    return [b for b in bugs(PROGRAM.format(printed=printed, batch=batch)) if b in HERE]


@pytest.mark.parametrize(
    "printed",
    [
        "f'loss {running / len(train):.4f} accuracy {right / 51:.3f}'",
        "f'Epoch {epoch}: train loss {running / 4:.6f}, test loss {summed / 51:.6f}'",
        "f'acc: {100 * right / len(test.dataset):.2f}%, right {right}/51'",
        "f'Average loss: {summed / 51:.4f}, Accuracy: {right}/51 ({100. * right / 51:.0f}%)'",
        "f'loss sum {running:.4f}'",
        "'accuracy', right / 51, 'of', 51",
        "{'loss': running / 4, 'acc': right / 51}",
        "f'error {1 - right / 51:.4f} acc so far {right / 51:.4f} lr {0.3 / 64}'",
    ],
)
def test_figures_put_together_rightly(printed: str) -> None:
    assert said(printed) == []


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("f'train loss {running / n:.5f}'", ["loss_divided_twice"]),
        ("'loss', round(running / len(train.dataset), 5), 'epoch', epoch", ["loss_divided_twice"]),
        ("f'validation loss = {total / len(test.dataset):.3e}'", ["loss_divided_twice"]),
        ("f'val loss {total / len(test):.4f}'", ["mean_of_batch_means"]),
        ("f'accuracy {right / len(test):.4f}'", ["wrong_accuracy"]),
        ("f'acc {100 * right / (len(test) * 24):.2f} %'", ["wrong_accuracy"]),
        ("f'accuracy {shares / 51:.4f}'", ["wrong_accuracy"]),
    ],
)
def test_figures_put_together_wrongly(printed: str, found: list[str]) -> None:
    assert said(printed) == found


def test_a_mean_over_equal_batches_is_a_mean() -> None:
    assert said("f'val loss {total / len(test):.4f} acc {shares / len(test):.4f}'", batch=17) == []


def test_the_message_tells_the_numbers() -> None:
    found = accusations(watched(PROGRAM.format(printed="f'loss {running / n:.5f}'", batch=24)))
    message = found["loss_divided_twice"].message
    assert "the 4 mean losses" in message
    assert "64 samples" in message


SINGLE = """
X = torch.randn(80, 6)
y = (X[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, {outputs}))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(3):
    opt.zero_grad()
    out = net(X)
    {loss}.backward()
    opt.step()
    with torch.no_grad():
        out = net(X[:{rows}])
        {check}
"""
CE, BCE = "F.cross_entropy(out, y)", "F.binary_cross_entropy_with_logits(out, y[:, None].float())"


@pytest.mark.parametrize(
    ("outputs", "loss", "rows", "check", "found"),
    [
        (2, CE, 80, "print((out.argmax(1) == y).float().mean())", False),
        (2, CE, 80, "print((out.max(-1).indices == y).float().mean())", False),
        (2, CE, 80, "print(out.argmax(1, keepdim=True).eq(y.view(-1, 1)).float().mean())", False),
        (2, CE, 1, "print(out.argmax() == y[0], out[0].argmax() == y[:1])", False),
        (2, CE, 80, "print((y[:, None] == out.topk(2).indices).any(1).float().mean())", False),
        (2, CE, 80, "print((y[:, None] == y).float().mean())", False),
        (1, BCE, 80, "print(((out > 0).squeeze(1) == y).float().mean())", False),
        (1, BCE, 80, "print(((out > 0) == y[:, None]).float().mean())", False),
        (2, CE, 2, "print((out.argmax(0) == y[:2]).float().mean())", True),
        (2, CE, 2, "print((torch.max(out, 0)[1] == y[:2]).float().mean())", True),
        (2, CE, 80, "print((out.argmax() == y).float().mean())", True),
        (2, CE, 80, "print((out.argmax(1, keepdim=True) == y).sum() / 80)", True),
        (1, BCE, 80, "print(((out > 0) == y).float().mean())", True),
        (1, BCE, 80, "print(torch.eq(out.sigmoid().round(), y).sum().item() / 80)", True),
    ],
)
def test_comparisons(outputs: int, loss: str, rows: int, check: str, found: bool) -> None:
    text = SINGLE.format(outputs=outputs, loss=loss, rows=rows, check=check)
    assert [b for b in bugs(text) if b in HERE] == (["wrong_accuracy"] if found else [])


def test_the_wrong_axis_is_named_where_it_raises() -> None:
    text = SINGLE.format(outputs=2, loss=CE, rows=80, check="print((out.argmax(0) == y).sum())")
    assert "wrong_accuracy" in accusations(watched(text))


def test_figures_are_read_with_their_digits() -> None:
    read = figures("Epoch 3/20 - loss: 0.0123 - acc 97.5% lr=1e-3 v2.1")
    assert [(f.label.strip(" -/:="), f.value, f.digits, f.percent) for f in read] == [
        ("Epoch", 3.0, 1, False),
        ("Epoch", 20.0, 2, False),
        ("loss", 0.0123, 3, False),
        ("acc", 97.5, 3, True),
        ("lr", 0.001, 1, False),
    ]
    assert textwrap.shorten(read[2].label, 20) == "- loss:"


@pytest.mark.parametrize(
    ("targets", "named"), [("y", ["wrong_accuracy"]), ("y[:, None]", []), ("y.view(-1, 1)", [])]
)
def test_the_best_of_topk_is_a_column(targets: str, named: list[str]) -> None:
    source = f"""
x, y = torch.randn(64, 6), torch.randint(0, 4, (64,))
net = nn.Linear(6, 4)
opt = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(4):
    opt.zero_grad()
    F.cross_entropy(net(x), y).backward()
    opt.step()
    with torch.no_grad():
        _, best = net(x).topk(1, dim=1)
        print((best == {targets}).sum().item() / 64)
"""
    assert bugs(source) == named


def test_numbers_of_a_sentence_are_no_figures() -> None:
    known = pieces(["print(f'on the 10000 test images: {a}')", "'top 5 of %d: %.2f' % (a, b)"])
    assert known == ["on the 10000 test images: ", "top 5 of "]
    line = "Accuracy on the 10000 test images: 93"
    (span,) = written(line, known)
    assert line[slice(*span)] == "10000"
    assert [f.value for f in figures(line, [span])] == [93.0]
    assert not written("top 50 of 3", ["top 5"])
    assert not pieces(["x = '0.5'", "'loss'"])  # no word, no number


@pytest.mark.parametrize("sentence", ["10000", "{len(test.dataset)}", "{len(test) * 24}"])
def test_a_size_in_the_sentence_is_no_accuracy(sentence: str) -> None:
    perfect = PROGRAM.replace("0.5 * torch.randn(115)", "0").replace("X[:, 0]", "10 * X[:, 0]")
    printed = f"f'accuracy on the {sentence} rows: {{right / 51:.3f}}'"
    assert bugs(perfect.format(printed=printed, batch=24)) == []


def test_a_part_of_a_data_set_is_not_divided_by_the_whole() -> None:
    source = """
from torch.utils.data import SubsetRandomSampler
X = torch.randn(120, 6)
rows = TensorDataset(X, (X[:, 0] > 0).long())
train = DataLoader(rows, 16, sampler=SubsetRandomSampler(range(90)))
valid = DataLoader(rows, 16, sampler=SubsetRandomSampler(range(90, 120)))
net = nn.Linear(6, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    for a, b in train:
        opt.zero_grad()
        F.cross_entropy(net(a), b).backward()
        opt.step()
    total = right = 0
    with torch.no_grad():
        for a, b in valid:
            total += F.cross_entropy(net(a), b).item() * len(b)
            right += (net(a).argmax(1) == b).sum().item()
    print(f"{what}: {figure:.6f}")
"""
    loss = source.replace("{what}", "loss").replace("{figure", "{total / LENGTH")
    assert bugs(loss.replace("LENGTH", "len(valid.dataset)")) == ["loss_divided_twice"]
    assert bugs(loss.replace("LENGTH", "30")) == []
    right = source.replace("{what}", "accuracy").replace("{figure", "{right / LENGTH")
    assert bugs(right.replace("LENGTH", "len(valid.dataset)")) == ["wrong_accuracy"]
    assert bugs(right.replace("LENGTH", "len(valid.sampler)")) == []


@pytest.mark.parametrize(
    "how", ["size_average=False", "None, False", "None, None, -100, None, 'sum'", "reduce=False"]
)
def test_the_old_words_for_a_sum(how: str) -> None:
    old = PROGRAM.replace('yb, reduction="sum").item()', f"yb, {how}).sum().item()")
    assert bugs(old.format(printed="f'loss {summed / 51:.5f}'", batch=24)) == []
