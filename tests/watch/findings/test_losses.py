"""What goes into a loss: squashed twice, one output, broadcast; and what only looks like it."""

from __future__ import annotations

import textwrap

import pytest

from autograder.watch.findings.losses import broadcast
from tests.recorded import accusations, bugs, watched

CLASSES = """
X = torch.randn(64, 5)
y = torch.randint(0, 3, (64,))
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(6):
    i = torch.randperm(64)[:32]
    loss = {loss}
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
HALVES = """
X = torch.randn(64, 5)
y = (X[:, :1] > 0).float()
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(6):
    i = torch.randperm(64)[:48]
    loss = {loss}
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
SAID = {
    # of classes
    "F.cross_entropy(net(X[i]), y[i])": [],
    "F.cross_entropy(net(X[i]).log_softmax(1), y[i])": [],
    "F.nll_loss(F.log_softmax(net(X[i]), 1), y[i])": [],
    "F.nll_loss(net(X[i]).softmax(1).log(), y[i])": [],
    "F.cross_entropy(net(X[i]), F.one_hot(y[i], 3).float())": [],
    "F.cross_entropy(net(X[i]), net(X[i]).detach().softmax(1))": [],
    "F.cross_entropy(torch.sigmoid(net(X[i])) * 8, y[i])": [],
    "F.cross_entropy(F.normalize(net(X[i]).abs()), y[i])": [],
    "F.nll_loss(F.logsigmoid(net(X[i])), y[i])": [],
    "F.cross_entropy(net(X[i]).softmax(1), y[i])": ["softmax_before_cross_entropy"],
    "nn.CrossEntropyLoss()(nn.Softmax(dim=-1)(net(X[i])).view(-1, 3), y[i])": [
        "softmax_before_cross_entropy"
    ],
    "F.cross_entropy(net(X[i]).exp() / net(X[i]).exp().sum(1, keepdim=True), y[i])": [
        "softmax_before_cross_entropy"
    ],
    "F.cross_entropy(net(X[i]).softmax(1), F.one_hot(y[i], 3).float())": [
        "softmax_before_cross_entropy"
    ],
    "F.nll_loss(net(X[i]).softmax(1), y[i])": ["softmax_into_nll"],
    "nn.NLLLoss()(torch.softmax(net(X[i]), dim=1).float(), y[i])": ["softmax_into_nll"],
}
SAID_OF_HALVES = {
    "F.binary_cross_entropy_with_logits(net(X[i]), y[i])": [],
    "F.binary_cross_entropy(net(X[i]).sigmoid(), y[i])": [],
    "F.binary_cross_entropy_with_logits(F.relu(net(X[i])), y[i])": [],
    "F.binary_cross_entropy_with_logits(net(X[i]).clamp(0, 1), y[i])": [],
    "F.binary_cross_entropy_with_logits(torch.tanh(net(X[i])), y[i])": [],
    "F.mse_loss(net(X[i]), y[i])": [],
    "F.mse_loss(net(X[i]).squeeze(1), y[i].squeeze(1))": [],
    "F.mse_loss(net(X[i]), torch.tensor(0.5).expand(48, 1))": [],
    "((net(X[i]) - y[i]) ** 2).mean()": [],
    "((net(X[i])[:, 0] - y[i][:, 0]) ** 2).mean()": [],
    "(net(X[i]).unsqueeze(1) - y[i][:, 0]).abs().mean()": [],
    "((net(X[i]) - y[i].mean()) ** 2).mean()": [],
    "F.binary_cross_entropy_with_logits(net(X[i]).sigmoid(), y[i])": [
        "sigmoid_into_bce_with_logits"
    ],
    "nn.BCEWithLogitsLoss()(torch.sigmoid(net(X[i])).squeeze(), y[i].squeeze())": [
        "sigmoid_into_bce_with_logits"
    ],
    "F.binary_cross_entropy_with_logits(1 / (1 + torch.exp(-net(X[i]))), y[i])": [
        "sigmoid_into_bce_with_logits"
    ],
    "F.cross_entropy(net(X[i]), y[i])": ["cross_entropy_single_output"],
    "F.cross_entropy(net(X[i]), torch.zeros(48, dtype=torch.long))": [
        "cross_entropy_single_output"
    ],
    "F.mse_loss(net(X[i]), y[i][:, 0])": ["mse_broadcast"],
    "nn.HuberLoss()(net(X[i]).squeeze(-1), y[i])": ["mse_broadcast"],
    "((net(X[i]) - y[i].squeeze()) ** 2).mean()": ["mse_broadcast"],
    "torch.sub(y[i].flatten(), net(X[i])).pow(2).mean()": ["mse_broadcast"],
}
HERE = {
    "softmax_before_cross_entropy",
    "softmax_into_nll",
    "sigmoid_into_bce_with_logits",
    "cross_entropy_single_output",
    "mse_broadcast",
}


@pytest.mark.parametrize("loss", SAID)
def test_losses_of_classes(loss: str) -> None:
    assert [b for b in bugs(CLASSES.format(loss=loss)) if b in HERE] == SAID[loss]


@pytest.mark.parametrize("loss", SAID_OF_HALVES)
def test_losses_of_one_output(loss: str) -> None:
    assert [b for b in bugs(HALVES.format(loss=loss)) if b in HERE] == SAID_OF_HALVES[loss]


def test_a_single_output_is_named_where_the_loss_raises() -> None:
    log = watched(HALVES.format(loss="F.cross_entropy(net(X[i]), y[i].squeeze(1).long())"))
    assert log.ended == "raised"
    assert "cross_entropy_single_output" in accusations(log)


def test_pairwise_differences_are_no_broadcast_by_mistake() -> None:
    text = """
    x = torch.randn(16, 4)
    net = nn.Linear(4, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(4):
        score = net(x)
        ranked = F.relu(1 - (score - score.squeeze(1))).mean()
        opt.zero_grad()
        ranked.backward()
        opt.step()
    """
    assert "mse_broadcast" not in bugs(textwrap.dedent(text))


def test_broadcast_is_pytorchs() -> None:
    assert broadcast([4, 1], [4]) == [4, 4]
    assert broadcast([4, 1, 3], [2, 3]) == [4, 2, 3]
    assert broadcast([4], [3]) is None


RIGHT_KIND = """
X, soft = torch.randn(40, 5), torch.randn(40, 4).softmax(1)
y = soft.argmax(1)
net = nn.Linear(5, 4)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(5):
    opt.zero_grad()
    {loss}.backward()
    opt.step()
"""


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        ("F.kl_div(net(X).softmax(1), soft)", True),
        ("nn.KLDivLoss(reduction='batchmean')(net(X).softmax(-1), soft)", True),
        ("F.kl_div(net(X), soft, reduction='sum')", True),
        ("F.kl_div(net(X).log_softmax(1), soft.log())", True),
        ("F.kl_div(net(X).log_softmax(1), soft, log_target=True)", True),
        ("F.nll_loss(net(X), y)", True),
        ("F.poisson_nll_loss(net(X).exp(), soft.round())", True),
        ("F.kl_div(net(X).log_softmax(1), soft, reduction='batchmean')", False),
        ("F.kl_div(net(X).softmax(1).log(), soft)", False),
        ("F.kl_div(net(X).log_softmax(1), soft.log(), None, None, 'sum', True)", False),
        ("F.kl_div(net(X).flatten().log_softmax(0).view(40, 4), soft / 40)", False),
        ("F.kl_div(torch.sigmoid(net(X)).log(), torch.full((40, 4), 0.1))", False),
        ("F.nll_loss(F.log_softmax(net(X), 1), y)", False),
        ("F.poisson_nll_loss(net(X), soft.round())", False),
        ("F.poisson_nll_loss(net(X).exp(), soft.round(), log_input=False)", False),
    ],
)
def test_losses_that_are_made_for_logarithms(loss: str, named: bool) -> None:
    assert ("wrong_loss" in bugs(RIGHT_KIND.format(loss=loss))) is named


@pytest.mark.parametrize(("scores", "named"), [("log_softmax(2)", False), ("clone()", True)])
def test_alignments_want_logarithms(scores: str, named: bool) -> None:
    source = f"""
X, y = torch.randn(12, 6, 5), torch.randint(1, 4, (6, 3))
net = nn.Linear(5, 4)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(5):
    opt.zero_grad()
    out = net(X).{scores}
    F.ctc_loss(out, y, torch.full((6,), 12), torch.full((6,), 3)).backward()
    opt.step()
"""
    assert bugs(source) == (["wrong_loss"] if named else [])
