"""The public tests of 05-five-beats: run `pytest` in this folder, beside your five_beats.py.

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
    spec = importlib.util.spec_from_file_location("five_beats", HERE / "five_beats.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["five_beats"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"five_beats.py stops at line {mine[-1].lineno}, which is not written yet"
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

    net = MLP(hidden=256)
    logits = net(torch.zeros(5, 1, 28, 28))
    assert logits.shape == (5, 10), f"expected 10 logits per picture, (5, 10), got {tuple(logits.shape)}"
    count = sum(p.numel() for p in net.parameters())
    assert count == 203_530, f"784 → 256 → 10 has 203,530 parameters, yours has {count:,}"
    for name in ("fc1", "act", "fc2"):
        assert hasattr(net, name), f"the layers are called fc1, act and fc2; there is no {name}"


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
    # Task 3: an epoch returns its mean loss; guessing among ten classes costs ln 10 = 2.3
    mean_loss = float(train_one_epoch())
    assert 0 < mean_loss < 3, f"a mean loss between 0 and 3 is plausible, {mean_loss} is not"


@task(4)
def test_task4_evaluate_public():
    # Task 4: an accuracy is a fraction, and the same question gets the same answer (no points)
    accuracy = float(evaluate())
    assert 0 <= accuracy <= 1, f"an accuracy is between 0 and 1, not {accuracy}"
    assert float(evaluate()) == accuracy, "nothing was learnt in between, and yet the accuracy changed"


@task(6)
def test_task6_train_public():
    # Task 6: the file is a state_dict that fits a fresh MLP
    from pathlib import Path

    import torch

    assert 0 < best_acc <= 1, f"best_acc is a fraction between 0 and 1, not {best_acc}"
    assert Path("best_mlp.pt").is_file(), "there is no file best_mlp.pt after the run"
    state = torch.load("best_mlp.pt", weights_only=True, map_location="cpu")
    fits = MLP(hidden=256).load_state_dict(state, strict=False)
    assert not any(fits), f"its names are not those of an MLP: {fits}"
