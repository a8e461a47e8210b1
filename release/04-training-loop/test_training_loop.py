"""The public tests of 04-training-loop: run `pytest` in this folder, beside your training_loop.py.

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
        module = importlib.import_module("training_loop")
    except NotImplementedError:
        pytest.fail("training_loop.py stops at a task that is not written yet", pytrace=False)
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
    logits = MNISTMLP()(torch.zeros(3, 1, 28, 28))
    assert logits.shape == (3, 10), f"expected one row of 10 logits per picture, got {tuple(logits.shape)}"
    count = sum(p.numel() for p in MNISTMLP().parameters())
    assert count == 109_386, f"784 → 128 → 64 → 10 has 109,386 parameters, yours has {count:,}"


@task(2)
def test_task2_train_public():
    # Task 2: it runs on five pictures in batches of two, and returns a plausible number
    torch.manual_seed(0)
    toy = [(torch.rand(2, 1, 28, 28), torch.tensor([0, 1])), (torch.rand(1, 1, 28, 28), torch.tensor([2]))]
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    loss = float(train_one_epoch(net, toy, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1)))
    assert 0 < loss < 10, f"a mean loss between 0 and 10 is plausible, {loss} is not"


@task(3)
def test_task3_evaluate_public():
    # Task 3: a model that always says 1, on labels 1, 1, 0
    always_one = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with torch.no_grad():
        always_one[1].weight.zero_()
        always_one[1].bias.copy_(torch.eye(10)[1])
    toy = [(torch.rand(2, 1, 28, 28), torch.tensor([1, 1])), (torch.rand(1, 1, 28, 28), torch.tensor([0]))]
    accuracy = float(evaluate(always_one, toy))
    assert abs(accuracy - 2 / 3) < 1e-6, f"2 of 3 are right, so 0.667, not {accuracy:.3f}"


@task(4)
def test_task4_confusion_public():
    # Task 4: the model that always says 1 fills column 1
    matrix = confusion_matrix(always_one, toy, 10)
    assert matrix.shape == (10, 10) and matrix.dtype == torch.int64, "expected an int64 tensor (10, 10)"
    assert matrix.sum() == 3, f"3 samples make 3 counts, not {matrix.sum()}"


@task(6)
def test_task6_fit_public():
    # Task 6: two epochs make two entries in each list
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    history = fit(net, toy, toy, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1), 2)
    assert set(history) >= {"train_loss", "val_accuracy"}, f"the history has the keys {sorted(history)}"
    assert len(history["train_loss"]) == len(history["val_accuracy"]) == 2, "one entry per epoch"
