"""The public tests of 08-schedule-and-resume: run `pytest` in this folder, beside your schedule_and_resume.py.

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
    spec = importlib.util.spec_from_file_location("schedule_and_resume", HERE / "schedule_and_resume.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["schedule_and_resume"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"schedule_and_resume.py stops at line {mine[-1].lineno}, which is not written yet"
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
def test_task1_lr_public():
    # Task 1: the twelve rates from above
    expected = [0.025, 0.05, 0.075, 0.1, 0.1, 0.0962, 0.0854, 0.0691, 0.05, 0.0309, 0.0146, 0.0038]
    for step, want in enumerate(expected):
        got = float(lr_at(step, 12, 0.1, 4))
        assert abs(got - want) < 1e-4, f"step {step}: expected {want}, got {got:.4f}"


@task(2)
def test_task2_scheduler_public():
    # Task 2: the step schedule over three epochs of two batches; a name that does not exist
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    toy = [(torch.rand(4, 1, 28, 28), torch.arange(4)) for _ in range(2)]
    sgd = torch.optim.SGD(net.parameters(), lr=0.5)
    schedule = make_scheduler("step", sgd, 3, 2)
    rates = [train_epoch(net, toy, nn.CrossEntropyLoss(), sgd, schedule, False) for _ in range(3)]
    for epoch, (got, want) in enumerate(zip(rates, (0.5, 0.05, 0.005))):
        close = len(got) == 2 and all(abs(float(r) - want) < 1e-6 for r in got)
        assert close, f"epoch {epoch}: expected the rates [{want}, {want}], got {got}"
    try:
        make_scheduler("no such name", sgd, 3, 2)
    except ValueError:
        refused = True
    else:
        refused = False
    assert refused, "a name that is not in the table should raise ValueError"


@task(3)
def test_task3_clip_public():
    # Task 3: gradients 3 and 4 have the norm 5; under a limit of 1 they become 0.6 and 0.8
    import torch
    from torch import nn

    pair = nn.ParameterList([nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))])
    pair[0].grad, pair[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
    norm = float(clip_gradients(pair, 1.0))
    assert abs(norm - 5) < 1e-4, f"the norm before clipping is 5, not {norm:.4f}"
    clipped = [float(p.grad) for p in pair]
    assert abs(clipped[0] - 0.6) < 1e-4 and abs(clipped[1] - 0.8) < 1e-4, f"expected 0.6 and 0.8, got {clipped}"


@task(4)
def test_task4_amp_public():
    # Task 4: with a scaler or without, the same weights come out, and no step is longer than the limit
    import torch
    from torch import nn

    after = []
    for enabled in (False, True):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
        sgd = torch.optim.SGD(net.parameters(), lr=1.0)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=enabled)
        before = nn.utils.parameters_to_vector(net.parameters()).detach().clone()
        loss = float(train_amp_step(net, (images, labels), nn.CrossEntropyLoss(), sgd, scaler, 0.5))
        assert 1 < loss < 5, f"the loss of ten classes is near 2.3 at first, not {loss:.3f}"
        after.append(nn.utils.parameters_to_vector(net.parameters()).detach().clone())
        moved = float((after[-1] - before).norm())
        assert abs(moved - 0.5) < 0.01, f"at a rate of 1 and a limit of 0.5 the step has length 0.5, not {moved:.4f}"
    assert torch.allclose(*after, atol=1e-2), "the scaler changed the step"


@task(4)
def test_task4_accumulate_public():
    # Task 4: two batches of four are a batch of eight (a warm-up: no points)
    import torch
    from torch import nn

    images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
    ends = []
    for group in ([(images, labels)], [(images[:4], labels[:4]), (images[4:], labels[4:])]):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
        sgd = torch.optim.SGD(net.parameters(), lr=0.1)
        accumulate_step(net, group, nn.CrossEntropyLoss(), sgd, 100.0)
        ends.append(nn.utils.parameters_to_vector(net.parameters()).detach())
    assert torch.allclose(*ends, atol=1e-4), "the step of two halves is not the step of the whole"


@task(5)
def test_task5_resume_public():
    # Task 5: two epochs and two more, against four in one go, to the bit
    import os
    import tempfile

    import torch
    from torch import nn


    def new_run():
        net = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.Linear(8, 3))
        sgd = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
        return net, sgd, torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=5)


    def epochs(run, n):
        net, sgd, schedule = run
        for _ in range(n):
            for k in torch.randperm(12).split(4):
                sgd.zero_grad()
                nn.functional.cross_entropy(net(samples[k]), k % 3).backward()
                sgd.step()
            schedule.step()


    samples = torch.rand(12, 6)
    run = new_run()
    epochs(run, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.pt")
        save_checkpoint(path, *run, 2)
        epochs(run, 2)
        straight = nn.utils.parameters_to_vector(run[0].parameters())
        torch.manual_seed(99)
        again = new_run()
        epoch = load_checkpoint(path, *again)
    assert epoch == 2, f"two epochs were done when it was saved, not {epoch}"
    epochs(again, 2)
    resumed = nn.utils.parameters_to_vector(again[0].parameters())
    apart = float((straight - resumed).detach().abs().max())
    assert apart == 0, f"the resumed run ends {apart:.2g} away from the one that was never interrupted"


@task(6)
def test_task6_load_public():
    # Task 6: a file that would print something while it is being read (a warm-up: no points)
    import os
    import tempfile

    import torch


    class Talkative:
        def __reduce__(self):
            return print, ("this line was printed by a file",)


    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "talkative.pt")
        torch.save({"model": Talkative()}, path)
        try:
            load_checkpoint(path, None, None, None)
        except (NotImplementedError, NameError):
            raise
        except Exception as error:
            message = str(error)
        else:
            message = ""
    assert message, "the file was read as if it were a checkpoint"
