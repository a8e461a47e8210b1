"""The public tests of 01-autograd: run `pytest` in this folder, beside your autograd.py.

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
    spec = importlib.util.spec_from_file_location("autograd", HERE / "autograd.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["autograd"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"autograd.py stops at line {mine[-1].lineno}, which is not written yet"
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
def test_task1_standardise_public():
    # Task 1: metres and grams; after scaling the two columns are the same
    import torch

    table = torch.tensor([[1.0, 1000.0], [2.0, 2000.0], [3.0, 3000.0]])
    scaled = torch.as_tensor(standardise(table))
    assert scaled.shape == (3, 2), f"the table keeps its shape (3, 2), yours has {tuple(scaled.shape)}"
    for column in (0, 1):
        got = [float(v) for v in scaled[:, column]]
        close = all(abs(g - w) < 1e-3 for g, w in zip(got, (-1.2247, 0.0, 1.2247)))
        assert close, f"column {column} should be -1.2247, 0, 1.2247, got {[round(g, 4) for g in got]}"


@task(2)
def test_task2_gradient_public():
    # Task 2: three gradients that you can check on paper
    import torch


    def error(v):  # one weight w, one bias b, the input 3, the target 5
        w, b = v
        return (w * 3 + b - 5) ** 2


    slope = float(gradient(lambda v: v**2, torch.tensor(3.0)))
    assert abs(slope - 6) < 1e-4, f"the slope of x² at 3 is 6, not {slope:.4f}"
    slope = float(gradient(torch.tanh, torch.tensor(1.0)))
    assert abs(slope - 0.41997) < 1e-4, f"the slope of tanh at 1 is 0.4200, not {slope:.4f}"
    slopes = [float(s) for s in gradient(error, torch.tensor([2.0, 1.0]))]
    close = len(slopes) == 2 and abs(slopes[0] - 12) < 1e-3 and abs(slopes[1] - 4) < 1e-3
    assert close, f"the gradient of (3w + b − 5)² at w = 2, b = 1 is (12, 4), not {slopes}"


@task(3)
def test_task3_accumulated_public():
    # Task 3: x² twice at 1, and the three buckets of the picture
    import torch


    def square(v):
        return v**2


    levels = [float(v) for v in accumulated_gradient([square, square], torch.tensor(1.0))]
    assert len(levels) == 2, f"two losses make two rows, not {len(levels)}"
    assert abs(levels[0] - 2) < 1e-4, f"after the first pass .grad holds 2, not {levels[0]:.4f}"
    assert abs(levels[1] - 4) < 1e-4, f"after the second pass .grad holds 4, not {levels[1]:.4f}"
    slopes = [lambda v: 2.0 * v, lambda v: 1.8 * v, lambda v: 1.5 * v]
    levels = [round(float(v), 4) for v in accumulated_gradient(slopes, torch.tensor(7.0))]
    assert levels == [2.0, 3.8, 5.3], f"the levels are 2.0, 3.8, 5.3, not {levels}"


@task(4)
def test_task4_chain_public():
    # Task 4: the chain of the picture
    import torch

    links = [lambda x: x**2, lambda y: 3 * y, lambda z: z + 1]
    slopes = [float(s) for s in chain(links, torch.tensor(2.0))]
    assert len(slopes) == 3, f"three links make three gradients, not {len(slopes)}"
    close = all(abs(s - w) < 1e-4 for s, w in zip(slopes, (12, 3, 1)))
    assert close, f"the gradients are 12, 3, 1 from the first link to the last, not {slopes}"


@task(5)
def test_task5_two_layers_public():
    # Task 5: three inputs, four hidden values, two outputs; small enough for paper
    import torch

    first = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0], [-1.0, 0.0, 1.0], [0.5, 0.5, 0.5]])
    second = torch.tensor([[1.0, -1.0, 2.0, 0.0], [0.0, 1.0, 1.0, -2.0]])
    loss, d1, d2 = two_layer_gradients(
        first, second, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0])
    )
    assert abs(float(loss) - 0.5) < 1e-5, f"the loss is 0.5, not {float(loss):.4f}"
    d1, d2 = torch.as_tensor(d1), torch.as_tensor(d2)
    assert d1.shape == (4, 3), f"dW1 has the shape of W1, (4, 3), not {tuple(d1.shape)}"
    assert d2.shape == (2, 4), f"dW2 has the shape of W2, (2, 4), not {tuple(d2.shape)}"
    rows = [[0.0, 0.0, 0.0], [-1.0, -2.0, -3.0], [-1.0, -2.0, -3.0], [2.0, 4.0, 6.0]]
    assert torch.allclose(d1.float(), torch.tensor(rows)), f"dW1 should be {rows}, got {d1.tolist()}"
    rows = [[0.0, 0.0, 0.0, 0.0], [0.0, -4.0, -2.0, -3.0]]
    assert torch.allclose(d2.float(), torch.tensor(rows)), f"dW2 should be {rows}, got {d2.tolist()}"


@task(6)
def test_task6_jacobian_public():
    # Task 6: three outputs of three inputs
    import torch


    def three(v):
        return torch.stack([v[0] * v[1], v[0] + v[1] + v[2], v[2] ** 2])


    table = torch.as_tensor(jacobian(three, torch.tensor([1.0, 2.0, 3.0])))
    assert table.shape == (3, 3), f"three outputs and three inputs make (3, 3), not {tuple(table.shape)}"
    rows = [[2.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 6.0]]
    for i, (got, want) in enumerate(zip(table.tolist(), rows)):
        close = all(abs(g - w) < 1e-4 for g, w in zip(got, want))
        assert close, f"row {i}: expected {want}, got {[round(g, 4) for g in got]}"


@task(7)
def test_task7_descend_public():
    # Task 7: six steps from w = 2 towards 1
    import torch

    weights, losses = descend(2.0, torch.tensor([1.0]), torch.tensor([1.0]), 0.1, 6)
    wanted = {
        "weights": (weights, [1.8, 1.64, 1.512, 1.4096, 1.3277, 1.2621]),
        "losses": (losses, [1.0, 0.64, 0.4096, 0.2621, 0.1678, 0.1074]),
    }
    for name, (got, want) in wanted.items():
        got = [round(float(v), 4) for v in got]
        close = len(got) == 6 and all(abs(g - w) < 2e-4 for g, w in zip(got, want))
        assert close, f"{name}: expected {want}, got {got}"


@task(8)
def test_task8_tape_public():
    # Task 8: the chain of the picture once more (a warm-up: no points)
    import torch

    x = torch.tensor(2.0, requires_grad=True)
    names = [str(name).rstrip("0123456789") for name in tape(3 * x**2 + 1)]
    wanted = ["AddBackward", "MulBackward", "PowBackward", "AccumulateGrad"]
    assert names == wanted, f"expected {wanted}, got {names}"
    assert len(tape(torch.tensor(2.0))) == 0, "a tensor that was typed in has no history"
