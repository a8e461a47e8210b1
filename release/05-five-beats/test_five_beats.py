"""The public tests of 05-five-beats: run `pytest` in this folder, beside your five_beats.py.

Generated from the handout; the same tests stand in the notebook. The hidden tests of the
grader look closer.
"""

import functools
import importlib

import pytest


@pytest.fixture(scope="module", autouse=True)
def your_work():
    """Your module, and its names for the tests below."""
    try:
        module = importlib.import_module("five_beats")
    except NotImplementedError:
        pytest.fail("five_beats.py stops at a task that is not written yet", pytrace=False)
    globals().update({k: v for k, v in vars(module).items() if not k.startswith("_")})


def task(number):
    """Say which task a test belongs to, and when that task is still to be written."""

    def mark(test):
        @functools.wraps(test)
        def run():
            try:
                test()
            except NotImplementedError:
                pytest.fail(f"task {number} is not written yet", pytrace=False)

        return run

    return mark


@task(1)
def test_task1_mlp_public():
    # Task 1: the shape of the answer, and the number of parameters
    net = MLP(hidden=256)
    logits = net(torch.zeros(5, 1, 28, 28))
    assert logits.shape == (5, 10), f"expected one row of 10 logits per picture, got {tuple(logits.shape)}"
    count = sum(p.numel() for p in net.parameters())
    assert count == 203_530, f"784 → 256 → 10 has 203,530 parameters, yours has {count:,}"
    assert all(hasattr(net, name) for name in ("fc1", "act", "fc2")), "the layers are called fc1, act, fc2"


@task(2)
def test_task2_data_public():
    # Task 2: one batch of each loader
    images, labels = next(iter(train_loader))
    assert images.shape == (128, 1, 28, 28), f"a training batch is (128, 1, 28, 28), not {tuple(images.shape)}"
    assert labels.shape == (128,), f"it has 128 labels, not {tuple(labels.shape)}"
    images, labels = next(iter(test_loader))
    assert images.shape[1:] == (1, 28, 28), f"pictures are (1, 28, 28), not {tuple(images.shape[1:])}"
    assert len(images) == min(256, len(test_loader.dataset)), "test batches hold 256 pictures"


@task(3)
def test_task3_epoch_public():
    # Task 3: an epoch returns its mean loss, and the loss of ten classes begins near ln 10 = 2.3
    loss = float(train_one_epoch())
    assert 0 < loss < 3, f"a mean loss between 0 and 3 is plausible, {loss} is not"


@task(6)
def test_task6_train_public():
    # Task 6: the file is a state_dict that fits a fresh MLP
    state = torch.load("best_mlp.pt", weights_only=True, map_location="cpu")
    MLP(hidden=256).load_state_dict(state)
    assert 0 < best_acc <= 1, f"best_acc is a fraction between 0 and 1, not {best_acc}"
