"""The public tests of 09-debugging-clinic: run `pytest` in this folder, beside your clinic.py.

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
    spec = importlib.util.spec_from_file_location("clinic", HERE / "clinic.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["clinic"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"clinic.py stops at line {mine[-1].lineno}, which is not written yet"
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
def test_task1_epoch_public():
    # Task 1: the patient can walk (a warm-up: no points)
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4))]
    loss = epoch_1(net, toy, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
    assert 1 < float(loss) < 5, f"one batch of ten classes has a loss near 2.3, not {float(loss):.3f}"


@task(2)
def test_task2_loss_public():
    # Task 2: the patient can walk (a warm-up: no points)
    import torch

    value = loss_2(torch.randn(4, 10, requires_grad=True), torch.arange(4))
    assert value.shape == (), f"a loss is one number, not a tensor of shape {tuple(value.shape)}"
    value.backward()


@task(3)
def test_task3_epoch_public():
    # Task 3: the patient can walk (a warm-up: no points)
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4))]
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    loss = epoch_3(net, toy, nn.CrossEntropyLoss(), sgd, torch.device("cpu"))
    assert 1 < float(loss) < 5, f"one batch of ten classes has a loss near 2.3, not {float(loss):.3f}"


@task(4)
def test_task4_fit_public():
    # Task 4: the patient can walk (a warm-up: no points)
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4))]
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    accuracies = fit_4(net, toy, toy, nn.CrossEntropyLoss(), sgd, 2)
    assert len(accuracies) == 2, f"two epochs make two accuracies, not {len(accuracies)}"


@task(5)
def test_task5_optimizer_public():
    # Task 5: the patient can walk (a warm-up: no points)
    from torch import nn

    net = nn.Linear(4, 2)
    assert hasattr(optimizer_5(net), "step"), "an optimizer has a method step()"


@task(6)
def test_task6_optimizer_public():
    # Task 6: the patient can walk (a warm-up: no points)
    from torch import nn

    net = nn.Linear(4, 2)
    assert hasattr(optimizer_6(net), "step"), "an optimizer has a method step()"


@task(7)
def test_task7_evaluate_public():
    # Task 7: the patient can walk (a warm-up: no points)
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4))]
    assert 0 <= float(evaluate_7(net, toy)) <= 1, "an accuracy is a fraction"


@task(8)
def test_task8_net_public():
    # Task 8: the patient can walk (a warm-up: no points)
    import torch

    logits = Net_8()(torch.rand(2, 1, 28, 28))
    assert logits.shape == (2, 10), f"two images make (2, 10) logits, not {tuple(logits.shape)}"


@task(9)
def test_task9_black_box_public():
    # Task 9: three steps make three dicts; a list of norms with a spike at the fifth
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4))] * 3
    records = black_box(net, toy, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
    assert [r["step"] for r in records] == [1, 2, 3], f"steps 1, 2, 3, not {[r['step'] for r in records]}"
    assert set(records[0]) >= {"step", "loss", "grad_norm", "largest"}, f"keys: {sorted(records[0])}"
    norms = [1.0, 1.2, 0.9, 1.1, 30.0, 2.0]
    got = first_bad([{"step": k, "grad_norm": n} for k, n in enumerate(norms, 1)])
    assert got == 5, f"step 5 has a norm of 30 after norms near 1; got {got}"


@task(10)
def test_task10_shapes_public():
    # Task 10: a network of five modules, for two images
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    got = [(str(name), tuple(shape)) for name, shape in shapes(net, torch.rand(2, 1, 28, 28))]
    want = [("Flatten", (2, 784)), ("Linear", (2, 128)), ("ReLU", (2, 128)), ("Linear", (2, 10))]
    assert got == want, f"expected {want}, got {got}"
