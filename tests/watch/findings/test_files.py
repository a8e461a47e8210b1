"""What the flight record says of saving, keeping the best, and going on."""

from __future__ import annotations

import pytest

from tests.recorded import accusations, bugs, watched

START = """
import copy
x = torch.randn(64, 6)
y = (x[:, 0] > 0).long()
train_loader = DataLoader(TensorDataset(x[:48], y[:48]), 16, shuffle=True)
test_loader = DataLoader(TensorDataset(x[48:], y[48:]), 16)
def build():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    return net, torch.optim.Adam(net.parameters(), lr=0.02)
def epoch_of(net, adam):
    net.train()
    for xb, yb in train_loader:
        adam.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        adam.step()
@torch.no_grad()
def accuracy(net):
    net.eval()
    return sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in test_loader) / 16
net, adam = build()
"""


def of(source: str) -> list[str]:
    return bugs(START + source)


@pytest.mark.parametrize(
    "save",
    [
        "torch.save(net, 'net.pt')",
        "torch.save({'model': net, 'epoch': 1}, 'net.pt')",
        "torch.save({'models': [net, net], 'epoch': 1}, 'net.pt')",
        "torch.save((net, adam.state_dict()), 'net.pt')",
        "import pickle\nwith open('net.pkl', 'wb') as f: pickle.dump(net, f)",
    ],
)
def test_a_pickled_model_is_named(save: str) -> None:
    assert of(f"epoch_of(net, adam)\n{save}\n") == ["pickles_whole_model"]


@pytest.mark.parametrize(
    "save",
    [
        "torch.save(net.state_dict(), 'net.pt')",
        "torch.save({'model': net.state_dict(), 'epoch': 1}, 'net.pt')",
        "torch.save({'models': [net.state_dict(), net.state_dict()]}, 'net.pt')",
        "import pickle\nwith open('h.pkl', 'wb') as f: pickle.dump({'loss': [1.0]}, f)",
    ],
)
def test_states_and_plain_data_in_files_pass(save: str) -> None:
    assert of(f"epoch_of(net, adam)\n{save}\n") == []


KEEPING = """
best, state = -1.0, None
for epoch in range(3):
    epoch_of(net, adam)
    score = 1.0 - epoch / 10
    accuracy(net)
    if score > best:
        best, state = score, KEPT
DONE
"""


@pytest.mark.parametrize("kept", ["net.state_dict()", "dict(net.state_dict())"])
@pytest.mark.parametrize("done", ["net.load_state_dict(state)", "torch.save(state, 'kept.pt')"])
def test_best_weights_that_drift_along_are_named(kept: str, done: str) -> None:
    source = KEEPING.replace("KEPT", kept).replace("DONE", done)
    assert of(source) == ["best_weights_aliased"]


@pytest.mark.parametrize("view", ["v.detach()", "v.detach().cpu()", "v.data"])
def test_views_of_the_best_weights_are_no_copies(view: str) -> None:
    kept = f"{{k: {view} for k, v in net.state_dict().items()}}"
    source = KEEPING.replace("KEPT", kept).replace("DONE", "net.load_state_dict(state)")
    assert of(source) == ["best_weights_aliased"]


def test_a_model_loaded_from_what_it_is_now_passes() -> None:
    now = "net.load_state_dict({k: v.detach() for k, v in net.state_dict().items()})"
    source = KEEPING.replace("KEPT", "copy.deepcopy(net.state_dict())").replace("DONE", now)
    assert of(source) == []


@pytest.mark.parametrize(
    "kept",
    [
        "copy.deepcopy(net.state_dict())",
        "{k: v.clone() for k, v in net.state_dict().items()}",
    ],
)
def test_copies_of_the_best_weights_pass(kept: str) -> None:
    assert of(KEEPING.replace("KEPT", kept).replace("DONE", "net.load_state_dict(state)")) == []


SAVED = """
torch.save({'model': net.state_dict(), 'optimizer': adam.state_dict(), 'epoch': 1}, 'ck.pt')
del net, adam
net, adam = build()
found = torch.load('ck.pt')
net.load_state_dict(found['model'])
"""


def test_going_on_with_an_empty_optimizer_is_named() -> None:
    body = "epoch_of(net, adam)\n" + SAVED
    assert of(body + "epoch_of(net, adam)\n") == ["resume_without_state"]
    bare = body.replace(", 'optimizer': adam.state_dict()", "")
    assert of(bare + "epoch_of(net, adam)\n") == ["resume_without_state"]


def test_a_state_put_into_an_optimizer_that_takes_no_step_is_named() -> None:
    body = "epoch_of(net, adam)\n" + SAVED + "adam.load_state_dict(found['optimizer'])\n"
    again = "adam = torch.optim.Adam(net.parameters(), lr=0.02)\nepoch_of(net, adam)\n"
    assert of(body + again) == ["resume_without_state"]


def test_going_on_with_everything_put_back_passes() -> None:
    body = "epoch_of(net, adam)\n" + SAVED
    assert of(body + "adam.load_state_dict(found['optimizer'])\nepoch_of(net, adam)\n") == []


def test_using_a_checkpoint_and_plain_sgd_and_a_pretrained_start_pass() -> None:
    body = "epoch_of(net, adam)\n" + SAVED
    assert of(body + "accuracy(net)\n") == []
    sgd = (START + body).replace("optim.Adam", "optim.SGD")
    assert bugs(sgd + "epoch_of(net, adam)\n") == []
    weights = "epoch_of(net, adam)\ntorch.save(net.state_dict(), 'w.pt')\nnet, adam = build()\n"
    assert of(weights + "net.load_state_dict(torch.load('w.pt'))\nepoch_of(net, adam)\n") == []


def test_a_schedule_that_starts_anew_is_named() -> None:
    source = """
plan = torch.optim.lr_scheduler.StepLR(adam, 1, 0.5)
for e in range(2):
    epoch_of(net, adam); plan.step()
state = {'m': net.state_dict(), 'o': adam.state_dict(), 's': plan.state_dict(), 'epoch': 2}
torch.save(state, 'c.pt')
net, adam = build()
plan = torch.optim.lr_scheduler.StepLR(adam, 1, 0.5)
c = torch.load('c.pt')
net.load_state_dict(c['m']); adam.load_state_dict(c['o'])
RESTORE
for e in range(2):
    epoch_of(net, adam); plan.step()
"""
    assert of(source.replace("RESTORE", "")) == ["resume_without_state"]
    assert of(source.replace("RESTORE", "plan.load_state_dict(c['s'])")) == []


SCORES = """
with torch.no_grad():
    w = [p.clone() for p in net.parameters()]
best = 0.0
for epoch in range(4):
    epoch_of(net, adam)
    if epoch == 2:  # one bad epoch at the end of which everything is unlearnt
        adam.param_groups[0]['lr'] = 0.0
        net[2].weight.data.neg_(); net[2].bias.data.neg_()
    now = accuracy(net)
    SAVE
"""


def test_a_best_file_that_holds_a_worse_epoch_is_named() -> None:
    fit = START.replace("lr=0.02", "lr=0.1")
    wrong = SCORES.replace("SAVE", "torch.save(net.state_dict(), 'best.pt')")
    log = watched(fit + wrong)
    assert "saves_last_not_best" in accusations(log)


@pytest.mark.parametrize("end", ["torch.save(best_net.state_dict(), 'best.pt')", "print(1)"])
def test_a_best_model_that_is_the_model_is_named(end: str) -> None:
    fit = START.replace("lr=0.02", "lr=0.1")
    alias = SCORES.replace("SAVE", "best_net = net")
    assert "best_weights_aliased" in accusations(watched(fit + alias + end + "\n"))
    copied = SCORES.replace("SAVE", "best_net = copy.deepcopy(net)")
    assert "best_weights_aliased" not in accusations(watched(fit + copied + end + "\n"))


def test_the_best_epoch_in_the_best_file_and_a_last_one_beside_it_pass() -> None:
    fit = START.replace("lr=0.02", "lr=0.1")
    right = "best, keep = max(best, now), now > best\n    torch.save(net.state_dict(), 'last.pt')\n"
    right += "    if keep: torch.save(net.state_dict(), 'best.pt')"
    assert "saves_last_not_best" not in bugs(fit + SCORES.replace("SAVE", right))


@pytest.mark.parametrize(
    ("around", "named"),
    [
        ("torch.save(net, 'a.pt')\ntorch.load('a.pt', weights_only=False)", True),
        (
            (
                "torch.save(net, 'a.pt')\n"
                "with torch.serialization.safe_globals([nn.Linear]):\n    torch.load('a.pt')"
            ),
            False,
        ),
        (
            "torch.serialization.add_safe_globals([nn.Linear])\ntorch.save(net, 'a.pt')",
            False,
        ),
        ("import io\ntorch.save(net, io.BytesIO())", False),
    ],
)
def test_a_whole_model_that_opens_safely_was_meant(around: str, named: bool) -> None:
    assert bugs(f"net = nn.Linear(2, 2)\n{around}") == (["pickles_whole_model"] if named else [])
