"""The public tests of 04-training-loop: run `pytest` in this folder, beside your training_loop.py.

Generated from the handout; the same tests stand in the notebook. The hidden tests of the
grader look closer.
"""

import functools
import importlib.util
import os
import sys
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
stopped = ""


@pytest.fixture(scope="module", autouse=True)
def your_work():
    """Run your program once, and give its names to the tests below.

    Where it stops at a task that is not written yet, what it defined until then is tested.
    """
    global stopped
    before = os.getcwd()
    os.chdir(HERE)  # data and files are looked for beside the program
    spec = importlib.util.spec_from_file_location("training_loop", HERE / "training_loop.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["training_loop"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"training_loop.py stops at line {mine[-1].lineno}, which is not written yet"
    names = {k: v for k, v in vars(module).items() if k not in globals()}
    globals().update(names)
    yield
    os.chdir(before)


def task(number):
    """Say which task a test belongs to, and when that task is still to be written."""

    def mark(test):
        @functools.wraps(test)
        def run():
            try:
                test()
            except NotImplementedError:
                pytest.fail(f"task {number} is not written yet", pytrace=False)
            except NameError as e:
                reason = f"; {stopped}" if stopped else ""
                pytest.fail(f"task {number}: {e}{reason}", pytrace=False)

        return run

    return mark



@task(1)
def test_task1_mlp_public():
    # Task 1: the shape of the answer, and the number of parameters
    import torch

    logits = MNISTMLP()(torch.zeros(3, 1, 28, 28))
    assert logits.shape == (3, 10), f"expected 10 logits per picture, (3, 10), got {tuple(logits.shape)}"
    count = sum(p.numel() for p in MNISTMLP().parameters())
    assert count == 109_386, f"784 → 128 → 64 → 10 has 109,386 parameters, yours has {count:,}"


@task(2)
def test_task2_train_public():
    # Task 2: fifty pictures in batches of sixteen; the loss falls from one epoch to the next
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    toy = DataLoader(TensorDataset(torch.rand(50, 1, 28, 28), torch.arange(50) % 10), batch_size=16)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    sgd = torch.optim.SGD(net.parameters(), lr=0.02)
    losses = [float(train_one_epoch(net, toy, nn.CrossEntropyLoss(), sgd)) for _ in range(8)]
    assert 1 < losses[0] < 5, f"before learning, the mean loss of ten classes is near 2.3, not {losses[0]:.3f}"
    assert losses[-1] < losses[0], f"eight epochs should lower the loss: {losses[0]:.3f} → {losses[-1]:.3f}"


@task(3)
def test_task3_evaluate_public():
    # Task 3: a model that always says 1, on labels 1, 1, 0
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    toy = DataLoader(TensorDataset(torch.rand(3, 1, 28, 28), torch.tensor([1, 1, 0])), batch_size=2)
    always_one = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with torch.no_grad():
        always_one[1].weight.zero_()
        always_one[1].bias.copy_(torch.eye(10)[1])
    accuracy = float(evaluate(always_one, toy))
    assert abs(accuracy - 2 / 3) < 1e-6, f"2 of 3 are right, so 0.667, not {accuracy:.3f}"


@task(4)
def test_task4_confusion_public():
    # Task 4: every sample is counted once
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    toy = DataLoader(TensorDataset(torch.rand(3, 1, 28, 28), torch.tensor([1, 1, 0])), batch_size=2)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    matrix = confusion_matrix(net, toy, 10)
    assert matrix.shape == (10, 10), f"expected a tensor (10, 10), got {tuple(matrix.shape)}"
    assert matrix.dtype == torch.int64, f"counts are int64, not {matrix.dtype}"
    assert matrix.sum() == 3, f"3 samples make 3 counts, not {matrix.sum()}"


@task(5)
def test_task5_per_class_public():
    # Task 5: three classes, the last of which never occurs (a warm-up: no points)
    import torch

    fractions = per_class_accuracy(torch.tensor([[3, 1, 0], [0, 2, 0], [0, 0, 0]]))
    assert fractions.shape == (3,), f"expected one fraction per class, (3,), got {tuple(fractions.shape)}"
    assert abs(fractions[0] - 0.75) < 1e-6, f"3 of 4 samples of class 0 are right, not {fractions[0]:.3f}"
    assert torch.isnan(fractions[2]), f"class 2 never occurs, so its fraction is nan, not {fractions[2]:.3f}"


@task(6)
def test_task6_fit_public():
    # Task 6: two epochs make two entries in each list
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    toy = DataLoader(TensorDataset(torch.rand(50, 1, 28, 28), torch.arange(50) % 10), batch_size=16)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    history = fit(net, toy, toy, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.02), 2)
    assert set(history) >= {"train_loss", "val_accuracy"}, f"the history has the keys {sorted(history)}"
    for name in ("train_loss", "val_accuracy"):
        assert len(history[name]) == 2, f"two epochs make two entries in {name}, not {len(history[name])}"
