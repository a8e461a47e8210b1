"""Modes and graphs: found in several disguises, and never where randomness or a mode was meant."""

from __future__ import annotations

import textwrap

import pytest

from autograder.watch.findings import findings
from tests.recorded import accusations, bugs, watched

DATA = """
X = torch.randn(96, 6)
y = (X[:, 0] > 0).long()
train = DataLoader(TensorDataset(X[:64], y[:64]), 16, shuffle=True)
test = DataLoader(TensorDataset(X[64:], y[64:]), 16)
hidden = nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3)
model = nn.Sequential(*hidden, nn.Linear(16, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.1)

def fit():
    for xb, yb in train:
        opt.zero_grad()
        F.cross_entropy(model(xb), yb).backward()
        opt.step()
"""


def program(text: str) -> str:
    return DATA + textwrap.dedent(text)


RIGHT = """
    for epoch in range(3):
        model.train()
        fit()
        model.eval()
        with torch.no_grad():
            right = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test)
        print(epoch, right)
"""
CORRECT = {
    "plain": RIGHT,
    "inference": RIGHT.replace("torch.no_grad()", "torch.inference_mode()"),
    "set_grad_enabled": RIGHT.replace("torch.no_grad()", "torch.set_grad_enabled(False)"),
    "train_false": RIGHT.replace("model.eval()", "model.train(False)"),
    "frozen_batch_norm": """
        class Frozen(nn.Sequential):
            def train(self, mode=True):
                super().train(mode)
                self[1].eval()
                return self
        model = Frozen(*model)
        for epoch in range(2):
            model.train()
            fit()
            model.eval()
            with torch.no_grad():
                print(F.cross_entropy(model(X[64:]), y[64:]).item())
    """,
    "fine_tuned_in_eval_mode": """
        with torch.no_grad():
            model.eval()
            print(F.cross_entropy(model(X[64:]), y[64:]).item())
        for epoch in range(2):
            model.eval()
            fit()
    """,
    "monte_carlo": RIGHT
    + """
    model.train()
    with torch.no_grad():
        draws = torch.stack([F.softmax(model(X[64:]), 1) for _ in range(8)])
        print((draws.mean(0).argmax(1) == y[64:]).float().mean(), draws.std())
        for t in range(5):
            print(sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test))
    """,
    "statistics_taken_anew": RIGHT
    + """
    averaged = torch.optim.swa_utils.AveragedModel(model)
    averaged.update_parameters(model)
    torch.optim.swa_utils.update_bn(train, averaged)
    averaged.eval()
    with torch.no_grad():
        print((averaged(X[64:]).argmax(1) == y[64:]).float().mean())
    """,
    "attacked": RIGHT
    + """
    model.eval()
    x = X[64:].clone().requires_grad_()
    F.cross_entropy(model(x), y[64:]).backward()
    with torch.no_grad():
        print((model(x + 0.1 * x.grad.sign()).argmax(1) == y[64:]).float().mean())
    """,
    "adversarially_trained": """
        for epoch in range(2):
            for xb, yb in train:
                model.eval()
                xa = xb.clone().requires_grad_()
                g, = torch.autograd.grad(F.cross_entropy(model(xa), yb), xa)
                model.train()
                opt.zero_grad()
                F.cross_entropy(model(xb + 0.1 * g.sign()), yb).backward()
                opt.step()
            model.eval()
            with torch.no_grad():
                print((model(X[64:]).argmax(1) == y[64:]).float().mean())
    """,
    "looked_at": """
        for epoch in range(2):
            model.train()
            for xb, yb in train:
                opt.zero_grad()
                out = model(xb)
                loss = F.cross_entropy(out, yb)
                print((out.argmax(1) == yb).float().mean().item())
                print(F.nll_loss(out.log_softmax(1), yb).item())
                loss.backward()
                opt.step()
    """,
    "teacher": """
        import copy
        teacher = copy.deepcopy(model)
        for epoch in range(2):
            for xb, yb in train:
                out = model(xb)
                with torch.no_grad():
                    soft = teacher(xb).softmax(1)
                loss = F.kl_div(out.log_softmax(1), soft, reduction="batchmean")
                opt.zero_grad()
                loss.backward()
                opt.step()
    """,
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_programs_are_not_accused(name: str) -> None:
    found = bugs(program(CORRECT[name]))
    assert not {
        "missing_eval_mode",
        "missing_train_mode",
        "missing_no_grad",
        "dropout_always_on",
    } & set(found)


BUGGY = {
    "no_eval": ("missing_eval_mode", RIGHT.replace("        model.eval()\n", "")),
    "eval_without_call": ("missing_eval_mode", RIGHT.replace("model.eval()", "model.eval")),
    "train_instead": ("missing_eval_mode", RIGHT.replace("model.eval()", "model.train()")),
    "loss_by_hand": (
        "missing_eval_mode",
        """
        model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))
        opt = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            opt.zero_grad()
            ((model(X[:64]).squeeze(1) - y[:64]) ** 2).mean().backward()
            opt.step()
            with torch.no_grad():
                print(((model(X[64:]) - y[64:, None]) ** 2).mean())
        """,
    ),
    "train_once": (
        "missing_train_mode",
        "\n    model.train()" + RIGHT.replace("        model.train()\n", ""),
    ),
    "evaluated_first": (
        "missing_train_mode",
        RIGHT.replace("        model.train()\n", "").replace(
            "        fit()\n        model.eval()", "        model.eval()"
        )
        + "        fit()\n",
    ),
    "graph": ("missing_no_grad", RIGHT.replace("torch.no_grad()", "torch.enable_grad()")),
    "graph_by_hand": (
        "missing_no_grad",
        RIGHT.replace("        with torch.no_grad():\n    ", ""),
    ),
}


@pytest.mark.parametrize("name", BUGGY)
def test_buggy_programs_are_named(name: str) -> None:
    bug, text = BUGGY[name]
    assert bugs(program(text)) == [bug]


def test_a_single_graph_is_a_note() -> None:
    log = watched(
        program(
            "model.train(); fit(); model.eval(); print((model(X[64:]).argmax(1) == y[64:]).sum())"
        )
    )
    assert not accusations(log)


ALWAYS = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 16), nn.Linear(16, 2)
        def forward(self, x):
            return self.b({drop}(F.relu(self.a(x))))
    model = Net()
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.mark.parametrize(
    ("drop", "found"),
    [
        ("F.dropout", ["dropout_always_on"]),
        ("nn.Dropout(0.5)", ["dropout_always_on"]),
        ("(lambda h: F.dropout(h, 0.2, True))", ["dropout_always_on"]),
        ("(lambda h: F.dropout(h, 0.2, self.training))", []),
        ("(lambda h: F.dropout(h, training=self.training, p=0.2))", []),
        ("(lambda h: F.dropout(h, 0.0))", []),
    ],
)
def test_dropout_that_heeds_no_mode(drop: str, found: list[str]) -> None:
    text = textwrap.dedent(ALWAYS).format(drop=drop) + textwrap.dedent(RIGHT)
    assert bugs(DATA + text) == found


def test_dropout_that_is_asked_for_is_no_bug() -> None:
    text = textwrap.dedent(ALWAYS).format(drop="F.dropout") + textwrap.dedent(
        """
        fit()
        model.eval()
        with torch.no_grad():
            draws = torch.stack([model(X[64:]).softmax(1) for _ in range(10)])
        print((draws.mean(0).argmax(1) == y[64:]).float().mean())
        """
    )
    assert bugs(DATA + text) == []


@pytest.mark.parametrize(
    ("chance", "named"),
    [("0.3", ["dropout_always_on"]), ("0.3 * self.training", []), ("0.0", [])],
)
def test_dropout_of_attention_heeds_no_mode(chance: str, named: list[str]) -> None:
    attention = f"""
    class Attend(nn.Module):
        def forward(self, x):
            x = x[:, None, :]
            return F.scaled_dot_product_attention(x, x, x, dropout_p={chance}).squeeze(1)
    model = nn.Sequential(nn.Linear(6, 16), Attend(), nn.ReLU(), nn.Linear(16, 2))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    """
    assert bugs(program(attention) + textwrap.dedent(RIGHT)) == named


@pytest.mark.parametrize(
    ("score", "named"),
    [
        ("((model(xb)[:, 1] > 0) & (yb > 0)).sum().item()", ["missing_no_grad"]),
        ("model(xb.requires_grad_()).sum().backward() or 0", []),
    ],
)
def test_whole_passes_that_nothing_is_learnt_from_want_no_graph(
    score: str, named: list[str]
) -> None:
    looking = RIGHT.replace("with torch.no_grad():", "if True:")
    looking = looking.replace("(model(xb).argmax(1) == yb).sum().item()", score)
    assert bugs(program(looking)) == named


AVERAGED = """
import copy
from torch.optim.swa_utils import AveragedModel, update_bn
smooth = {made}
for epoch in range(3):
    model.train()
    fit()
    with torch.no_grad():
        {average}
    {anew}
    for net in (model, smooth):
        net.eval()
        with torch.no_grad():
            print(sum((net(a).argmax(1) == b).sum().item() for a, b in test))
"""
LERP = "for a, b in zip(smooth.parameters(), model.parameters()): a.lerp_(b, 0.5)"
WHOLE = "for a, b in zip(smooth.state_dict().values(), model.state_dict().values()): a.copy_(b)"


@pytest.mark.parametrize(
    ("made", "average", "anew", "kind"),
    [
        ("copy.deepcopy(model)", LERP, "pass", "bug"),
        ("AveragedModel(model)", "smooth.update_parameters(model)", "pass", "note"),
        ("AveragedModel(model)", "smooth.update_parameters(model)", "update_bn(train, smooth)", ""),
        ("copy.deepcopy(model)", WHOLE, "pass", ""),
        ("copy.deepcopy(model)", "pass", "pass", ""),
    ],
)
def test_statistics_of_batch_norm_that_belong_to_other_weights(
    made: str, average: str, anew: str, kind: str
) -> None:
    log = watched(program(AVERAGED.format(made=made, average=average, anew=anew)))
    found = {f.bug: f.kind for f in findings(log)}
    assert found.get("batch_norm_stale", "") == kind
    assert accusations(log).keys() <= {"batch_norm_stale"}


FUNCTIONAL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 16), nn.Linear(16, 2)
        self.register_buffer("mean", torch.zeros(16))
        self.register_buffer("var", torch.ones(16))
    def forward(self, x):
        h = F.batch_norm(self.a(x), self.mean, self.var, training={training})
        return self.b(F.relu(h))
model = Net()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
fit()
with torch.no_grad():
    print(sum((model(a).argmax(1) == b).sum().item() for a, b in test))
"""


@pytest.mark.parametrize(
    ("training", "found"), [("self.training", ["missing_eval_mode"]), ("True", [])]
)
def test_batch_norm_by_function_heeds_the_mode_or_means_the_batch(
    training: str, found: list[str]
) -> None:
    assert bugs(program(FUNCTIONAL.format(training=training))) == found


@pytest.mark.parametrize(
    ("before", "found"),
    [("", ["missing_eval_mode"]), ("model.eval()", []), ("model.train()", [])],
)
def test_a_program_that_only_evaluates(before: str, found: list[str]) -> None:
    source = """
with torch.inference_mode():
    print(sum((model(a).argmax(1) == b).sum().item() for a, b in test))
"""
    assert bugs(program(before + source)) == found  # a mode that is asked for is meant
