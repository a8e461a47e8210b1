"""The public tests of 02-losses-and-optimizers: run `pytest` in this folder, beside your losses_and_optimizers.py.

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
    spec = importlib.util.spec_from_file_location("losses_and_optimizers", HERE / "losses_and_optimizers.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["losses_and_optimizers"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"losses_and_optimizers.py stops at line {mine[-1].lineno}, which is not written yet"
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
def test_task1_log_softmax_public():
    # Task 1: logits 2, 1, 0.1 are the probabilities 0.659, 0.242, 0.099
    import torch

    logs = torch.as_tensor(log_softmax(torch.tensor([[2.0, 1.0, 0.1]])))
    assert logs.shape == (1, 3), f"one row of three classes stays (1, 3), yours has {tuple(logs.shape)}"
    got = [round(float(p), 3) for p in logs[0].exp()]
    close = all(abs(g - w) < 0.0015 for g, w in zip(got, (0.659, 0.242, 0.099)))
    assert close, f"the probabilities should be 0.659, 0.242, 0.099, got {got}"


@task(2)
def test_task2_cross_entropy_public():
    # Task 2: the two rows from above, and the first one alone
    import torch

    rows = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
    both = float(cross_entropy(rows, torch.tensor([0, 1])))
    assert abs(both - 0.3185) < 1e-4, f"the two rows have the loss 0.3185, not {both:.4f}"
    first = float(cross_entropy(rows[:1], torch.tensor([0])))
    assert abs(first - 0.4170) < 1e-4, f"the first row alone has the loss 0.4170, not {first:.4f}"


@task(3)
def test_task3_mse_public():
    # Task 3: three predictions and three targets
    import torch

    got = float(mse(torch.tensor([2.5, 3.1, 4.0]), torch.tensor([3.0, 3.0, 4.0])))
    assert abs(got - 0.0867) < 1e-4, f"(0.25 + 0.01 + 0) / 3 is 0.0867, not {got:.4f}"


@task(4)
def test_task4_bce_public():
    # Task 4: three answers: yes at 2, no at −1, and yes with no opinion
    import torch

    got = float(bce_with_logits(torch.tensor([2.0, -1.0, 0.0]), torch.tensor([1.0, 0.0, 1.0])))
    assert abs(got - 0.3778) < 1e-4, f"the loss of the three answers is 0.3778, not {got:.4f}"


@task(5)
def test_task5_sgd_public():
    # Task 5: six steps on (w − 1)² from 2, without momentum and with it
    import torch

    paths = {
        0.0: [1.8, 1.64, 1.512, 1.4096, 1.3277, 1.2621],
        0.9: [1.8, 1.46, 1.062, 0.6914, 0.4196, 0.2910],
    }
    for momentum, want in paths.items():
        w = torch.tensor(2.0, requires_grad=True)
        sgd = SGD([w], lr=0.1, momentum=momentum)
        got = []
        for _ in range(6):
            sgd.zero_grad()
            ((w - 1) ** 2).backward()
            sgd.step()
            got.append(round(w.item(), 4))
        close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
        assert close, f"momentum {momentum}: expected {want}, got {got}"


@task(6)
def test_task6_adam_public():
    # Task 6: six steps on (w − 1)² from 2
    import torch

    w = torch.tensor(2.0, requires_grad=True)
    adam = Adam([w], lr=0.1)
    got, want = [], [1.9, 1.8004, 1.7016, 1.6039, 1.5080, 1.4142]
    for _ in range(6):
        adam.zero_grad()
        ((w - 1) ** 2).backward()
        adam.step()
        got.append(round(w.item(), 4))
    close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
    assert close, f"expected {want}, got {got}"


@task(7)
def test_task7_adamw_public():
    # Task 7: six steps on (w − 1)² from 2
    import torch

    w = torch.tensor(2.0, requires_grad=True)
    adamw = AdamW([w], lr=0.1)
    got, want = [], [1.8980, 1.7965, 1.6959, 1.5967, 1.4992, 1.4042]
    for _ in range(6):
        adamw.zero_grad()
        ((w - 1) ** 2).backward()
        adamw.step()
        got.append(round(w.item(), 4))
    close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
    assert close, f"expected {want}, got {got}"


@task(8)
def test_task8_trajectory_public():
    # Task 8: two parameters, three steps of PyTorch's own SGD (a warm-up: no points)
    import torch

    a, b = torch.ones(2, requires_grad=True), torch.tensor(4.0, requires_grad=True)
    places = trajectory(torch.optim.SGD([a, b], lr=0.25), [a, b], lambda: (a**2).sum() + b**2, 3)
    assert places.shape == (4, 3), f"a start and three steps of 3 numbers: (4, 3), not {tuple(places.shape)}"
    for row, want in zip(places.tolist(), (1.0, 0.5, 0.25, 0.125)):
        assert row == [want, want, 4 * want], f"expected {[want, want, 4 * want]}, got {row}"
