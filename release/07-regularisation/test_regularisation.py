"""The public tests of 07-regularisation: run `pytest` in this folder, beside your regularisation.py.

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
    spec = importlib.util.spec_from_file_location("regularisation", HERE / "regularisation.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["regularisation"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"regularisation.py stops at line {mine[-1].lineno}, which is not written yet"
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
def test_task1_dropout_public():
    # Task 1: ten ones become zeros and twos in training, and stay ones in evaluation
    import torch

    torch.manual_seed(0)
    layer = Dropout(0.5)
    layer.train()
    seen = {round(float(v), 4) for _ in range(20) for v in layer(torch.ones(10))}
    assert seen == {0.0, 2.0}, f"in training, ones become 0 or 2, yours became {sorted(seen)}"
    layer.eval()
    kept = layer(torch.ones(10)).tolist()
    assert kept == [1.0] * 10, f"in evaluation, ones stay ones, yours are {kept}"


@task(2)
def test_task2_penalty_public():
    # Task 2: three parameters
    import torch
    from torch import nn

    three = nn.ParameterList([nn.Parameter(torch.tensor(float(n))) for n in (1, 2, 3)])
    got = float(l2_penalty(three, 0.1))
    assert abs(got - 1.4) < 1e-5, f"0.1 * (1 + 4 + 9) is 1.4, not {got:.4f}"


@task(3)
def test_task3_stopping_public():
    # Task 3: the table from above, with three patiences
    table = [0.9, 0.7, 0.8, 0.75, 0.6, 0.65, 0.66, 0.67]
    for patience, stop in ((1, 2), (2, 3), (3, 7)):
        stopper = EarlyStopping(patience)
        said = [stopper.step(loss) for loss in table[: stop + 1]]
        right = [False] * stop + [True]
        assert said == right, f"patience {patience} should stop at step {stop}, yours said {said}"
    assert stopper.best == 0.6 and stopper.best_step == 4, f"{stopper.best} at {stopper.best_step}"


@task(4)
def test_task4_fit_public():
    # Task 4: the history of three epochs on random images
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4)) for _ in range(2)]
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    history = fit_with_validation(net, toy, toy, nn.CrossEntropyLoss(), sgd, 3, 3)
    expected = {"train_loss", "val_loss", "best_epoch", "stopped_early"}
    assert expected <= set(history), f"the history lacks {sorted(expected - set(history))}"
    for name in ("train_loss", "val_loss"):
        assert len(history[name]) == 3, f"three epochs give three entries of {name}"
    assert history["best_epoch"] in (1, 2, 3), f"best_epoch counts from 1, not {history['best_epoch']}"
    assert not history["stopped_early"], "patience cannot run out within three epochs"


@task(5)
def test_task5_mlp_public():
    # Task 5: the sizes of the network (a warm-up: no points)
    import torch

    net = make_mlp(0.2)
    logits = net(torch.rand(2, 1, 28, 28))
    assert logits.shape == (2, 10), f"two images give (2, 10) logits, yours are {tuple(logits.shape)}"
    count = sum(p.numel() for p in net.parameters())
    assert count == 109386, f"784-128-64-10 has 109,386 parameters, yours has {count:,}"


@task(6)
def test_task6_plot_public():
    # Task 6: one history, one axes with two curves (a warm-up: no points)
    from matplotlib.figure import Figure

    told = {"train_loss": [0.9, 0.5, 0.3], "val_loss": [0.8, 0.6, 0.7], "best_epoch": 2, "stopped_early": False}
    figure = plot_curves({"plain": told})
    assert isinstance(figure, Figure), f"expected a Figure, got {type(figure).__name__}"
    drawn = [list(map(float, line.get_ydata())) for ax in figure.axes for line in ax.lines]
    for name in ("train_loss", "val_loss"):
        assert told[name] in drawn, f"no curve shows {name}"
