"""What a model is and owns: mixed batches, no bend, layers nobody knows of, units all alike."""

from __future__ import annotations

import textwrap

import pytest

from tests.recorded import bugs

HERE = {"batch_mixing", "no_nonlinearity", "unregistered_modules", "wrong_init"}
IMAGES = """
X = torch.randn(60, 1, 4, 4)
y = torch.randint(0, 3, (60,))
loader = DataLoader(TensorDataset(X, y), 12, shuffle=True)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 3))
    def forward(self, x):
        return self.body({flat})
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(2):
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        opt.step()
"""


@pytest.mark.parametrize(
    ("flat", "found"),
    [
        ("x.flatten(1)", []),
        ("x.view(len(x), -1)", []),
        ("F.normalize(x.reshape(-1, 16))", []),
        ("x.view(x.shape[0], 16).T.T", []),
        ("x.view(16, -1).t()", ["batch_mixing"]),
        ("x.permute(1, 2, 3, 0).reshape(len(x), 16)", ["batch_mixing"]),
        ("x.flatten(1).softmax(0)", ["batch_mixing"]),
        ("x.flatten(1) - x.flatten(1).mean(0)", ["batch_mixing"]),
    ],
)
def test_mixed_batches(flat: str, found: list[str]) -> None:
    assert [b for b in bugs(IMAGES.format(flat=flat)) if b in HERE] == found


SEQUENCES = """
X = torch.randn(40, 7, 5)
y = torch.randint(0, 3, (40,))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 8{first})
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        return self.head(self.rnn(x)[0]{last})
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(2):
    for i in torch.randperm(40).split(10):
        opt.zero_grad()
        F.cross_entropy(net({given}), y[i]).backward()
        opt.step()
"""


@pytest.mark.parametrize(
    ("first", "last", "given", "found"),
    [
        (", batch_first=True", "[:, -1]", "X[i]", []),
        ("", "[-1]", "X[i].transpose(0, 1)", []),
        (", batch_first=True, bidirectional=False", ".mean(1)", "X[i]", []),
        ("", "[:, -1]", "X[i]", ["batch_mixing"]),
    ],
)
def test_the_axis_of_time(first: str, last: str, given: str, found: list[str]) -> None:
    text = SEQUENCES.format(first=first, last=last, given=given)
    assert [b for b in bugs(text) if b in HERE] == found


FEATURES = """
X = torch.randn(60, 6)
y = torch.randint(0, 3, (60,))
{net}
opt = torch.optim.SGD({parameters}, lr=0.1)
for step in range(6):
    opt.zero_grad()
    F.cross_entropy(net(X), y).backward()
    opt.step()
"""


def of(net: str, parameters: str = "net.parameters()") -> list[str]:
    text = FEATURES.format(net=textwrap.dedent(net), parameters=parameters)
    return [b for b in bugs(text) if b in HERE]


@pytest.mark.parametrize(
    ("net", "found"),
    [
        ("net = nn.Linear(6, 3)", []),
        ("net = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3))", []),
        ("net = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))", []),
        ("net = nn.Sequential(nn.Linear(6, 9), nn.LayerNorm(9), nn.Linear(9, 3))", []),
        ("net = nn.Sequential(nn.Linear(6, 1), nn.Linear(1, 3))", []),  # of rank one, on purpose
        (
            "class Linear2(nn.Sequential): pass\nnet = Linear2(nn.Linear(6, 9), nn.Linear(9, 3))",
            [],
        ),
        ("net = nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 3))", ["no_nonlinearity"]),
        (
            "net = nn.Sequential(nn.Linear(6, 9), nn.Dropout(), nn.Linear(9, 3), nn.LogSoftmax(1))",
            ["no_nonlinearity"],
        ),
        (
            "net = nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.Linear(9, 3))",
            ["no_nonlinearity"],
        ),
    ],
)
def test_affine_models(net: str, found: list[str]) -> None:
    assert of(net) == found


HOLDER = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {layers}
        self.head = nn.Linear(8, 3)
    def forward(self, x):
        {body}
        return self.head(F.relu(x))
net = Net()
"""


@pytest.mark.parametrize(
    ("layers", "body", "parameters", "found"),
    [
        (
            "self.a = nn.ModuleList([nn.Linear(6, 8)])",
            "x = self.a[0](x)",
            "net.parameters()",
            False,
        ),
        ("self.a = [nn.Linear(6, 8)]", "x = self.a[0](x)", "net.parameters()", True),
        ("self.a = {'one': nn.Linear(6, 8)}", "x = self.a['one'](x)", "net.parameters()", True),
        (
            "self.a = (lambda l: lambda x: l(x))(nn.Linear(6, 8))",
            "x = self.a(x)",
            "net.parameters()",
            True,
        ),
        (
            "self.a = torch.randn(6, 8, requires_grad=True)",
            "x = x @ self.a",
            "net.parameters()",
            True,
        ),
        ("self.a = nn.Parameter(torch.randn(6, 8))", "x = x @ self.a", "net.parameters()", False),
        (
            "self.a = [nn.Parameter(torch.randn(6, 8))]",
            "x = x @ self.a[0]",
            "net.parameters()",
            True,
        ),
        # it is trained all the same, in a style of its own
        (
            "self.a = [nn.Linear(6, 8)]",
            "x = self.a[0](x)",
            "[*net.parameters(), *net.a[0].parameters()]",
            False,
        ),
        # a frozen feature extractor, hidden from state_dict on purpose
        (
            "self.a = [nn.Linear(6, 8).requires_grad_(False)]",
            "x = self.a[0](x)",
            "net.parameters()",
            False,
        ),
        ("self.a = [nn.Linear(6, 8).eval()]", "x = self.a[0](x)", "net.parameters()", False),
    ],
)
def test_what_a_model_owns(layers: str, body: str, parameters: str, found: bool) -> None:
    text = textwrap.dedent(HOLDER).format(layers=layers, body=body)
    assert of(text, parameters) == (["unregistered_modules"] if found else [])


NETS = "net = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3))\n"


@pytest.mark.parametrize(
    ("net", "found"),
    [
        (NETS, []),
        ("net = nn.Linear(6, 3)\nnn.init.zeros_(net.weight)", []),
        (NETS + "nn.init.zeros_(net[2].weight)", []),
        (NETS + "nn.init.zeros_(net[0].bias), nn.init.zeros_(net[2].bias)", []),
        (NETS + "for p in net.parameters(): nn.init.constant_(p, 0.1)", ["wrong_init"]),
        (
            NETS + "for m in (net[0], net[2]): m.weight.data.zero_(), m.bias.data.zero_()",
            ["wrong_init"],
        ),
    ],
)
def test_how_weights_begin(net: str, found: list[str]) -> None:
    assert of(net) == found
