# %% [markdown]
# # Schedule and resume
#
# * **You will need** four hours; the computing takes seconds.
# * **You should know** assignment 05.
# * **Afterwards you can** change the learning rate by a plan, clip gradients, train in 16 bits, and break
#   off a run and go on as if nothing had happened.
#
# The five beats carry every training. A long one needs a few things around them: a learning rate that
# changes on its way, gradients that cannot run away, arithmetic in half precision, and a checkpoint to
# continue from when the power fails. Each of them is a line or two, and each has a place in the loop
# where it belongs and several where it looks just as good and does nothing, or harm.
#
# Please keep the names and arguments of the functions: the tests call them. How you write them
# inside is yours, and you may use all of PyTorch. Everything here runs on a CPU in seconds.

# %%
import math
import os

import torch
from torch import nn

# %% [markdown]
# ## Task 1 · A learning rate for every step
#
# ![The learning rate rises in a straight line, then falls along half a cosine](img/schedule.svg)
#
# At the very start the gradients say little: the weights are random, and an optimizer like Adam has
# seen nothing yet. Big steps then can spoil more than a whole epoch repairs. So the rate begins small
# and rises in a straight line: the **warm-up**. At the end the weights circle around a good place, and
# smaller and smaller steps let them settle there: the **cosine**.
#
# Steps are counted from 0, and there are `total` of them.
#
# * While `step < warmup`: the rate is `base_lr · (step + 1) / warmup`. The first step is already taken
#   at a rate above 0, and the last step of the warm-up at `base_lr`.
# * From then on: `base_lr · (1 + cos(π · p)) / 2`, where `p = (step − warmup) / (total − warmup)` is the
#   part of the remaining way that is done: 0 at the first of these steps, and not yet 1 at the last.
#
# With 12 steps, 4 of them warm-up, and a base of 0.1 the rates are
# 0.025, 0.05, 0.075, 0.1, 0.1, 0.0962, 0.0854, 0.0691, 0.05, 0.0309, 0.0146, 0.0038.
#
# <details><summary>Hint: off by one</summary>
#
# Work out the rates at `step` 0, `warmup - 1`, `warmup` and `total - 1` by hand. Nearly every mistake in
# a schedule shows at one of these four.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task1-lr", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lr_at(step, total, base_lr, warmup):
    """Task 1. The learning rate of step `step` (0 … total − 1), a float.

    step, total, warmup: int with 0 <= warmup < total; warmup 0 means none. base_lr: float, the
    largest rate.
    """
    ### BEGIN SOLUTION
    if step < warmup:
        return base_lr * (step + 1) / warmup
    progress = (step - warmup) / (total - warmup)
    return base_lr * (1 + math.cos(math.pi * progress)) / 2
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task1-lr-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 1: the twelve rates from above
expected = [0.025, 0.05, 0.075, 0.1, 0.1, 0.0962, 0.0854, 0.0691, 0.05, 0.0309, 0.0146, 0.0038]
for step, want in enumerate(expected):
    got = float(lr_at(step, 12, 0.1, 4))
    assert abs(got - want) < 1e-4, f"step {step}: expected {want}, got {got:.4f}"

# %% nbgrader={"grade": true, "grade_id": "task1-lr-hidden", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("lr_curve")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2 · PyTorch's schedules, and the sixth beat
#
# PyTorch has such curves ready-made in `torch.optim.lr_scheduler`. A scheduler holds an optimizer; each
# `scheduler.step()` writes the next rate into it. `make_scheduler` returns one of three, by its name:
#
# | name | the rate | its `step()` is called |
# |---|---|---|
# | `"step"` | a tenth after each third of the epochs (`epochs // 3`) | after every epoch |
# | `"cosine"` | along half a cosine from the optimizer's rate to 0 over `epochs` | after every epoch |
# | `"one-cycle"` | `OneCycleLR` up to the optimizer's rate and down again, otherwise with PyTorch's defaults | after every batch |
#
# So some schedules count epochs and some count batches, and the loop has to know which. `train_epoch`
# is the loop you know, five beats for every batch, with a sixth for the schedule: after the
# optimizer's step if `per_batch`, else once after the last batch of the epoch. A schedule prepares the
# rate of the *next* step. Moved before the step, it throws the first rate away.
#
# To lay such curves on top of each other: [a rate for every step](explore/schedules.html).
#
# <details><summary>Hint: where the rate is</summary>
#
# `optimizer.param_groups[0]["lr"]` is the rate that the next step will use. Read it before the schedule
# moves.
#
# </details>
#
# <details><summary>Hint: one-cycle</summary>
#
# `OneCycleLR` wants to know how high to go and how many steps there are in all.
# The rate to go up to is the one the optimizer came with.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task2-scheduler", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_scheduler(name, optimizer, epochs, steps_per_epoch):
    """Task 2. The schedule `name` for `optimizer`, over `epochs` epochs (a multiple of 3).

    name: "step", "cosine" or "one-cycle"; steps_per_epoch: int, the batches in an epoch.
    Returns an object whose `step()` moves the rate. Raises ValueError for any other name.
    """
    ### BEGIN SOLUTION
    schedulers = torch.optim.lr_scheduler
    if name == "step":
        return schedulers.StepLR(optimizer, step_size=epochs // 3, gamma=0.1)
    if name == "cosine":
        return schedulers.CosineAnnealingLR(optimizer, T_max=epochs)
    if name == "one-cycle":
        top = optimizer.param_groups[0]["lr"]
        return schedulers.OneCycleLR(optimizer, max_lr=top, total_steps=epochs * steps_per_epoch)
    raise ValueError(f"no schedule is called {name!r}")
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "task2-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(model, dataloader, loss_fn, optimizer, scheduler, per_batch):
    """Task 2. Train `model` for one pass over `dataloader`, and move the schedule.

    model: an nn.Module in training mode; dataloader: yields (images, labels), labels int64 (B,);
    loss_fn(logits, labels): a scalar tensor, the mean over the batch; optimizer: any optimizer
    over the model's parameters; scheduler: a schedule of that optimizer; per_batch: bool, True
    if it counts batches, False if it counts epochs.

    Returns the learning rate that each batch's step was taken at, a list of floats.
    """
    ### BEGIN SOLUTION
    rates = []
    for images, labels in dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
        if per_batch:
            scheduler.step()
    if not per_batch:
        scheduler.step()
    return rates
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task2-scheduler-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
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

# %% nbgrader={"grade": true, "grade_id": "task2-scheduler-hidden", "locked": true, "points": 3.75, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("schedulers_traces", "schedule_beats", "schedule_order", "schedule_rates")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3 · Gradients on a leash
#
# Once in a while a batch has a gradient a hundred times as long as the others, and one step along it
# undoes an hour of training. **Clipping by norm** puts a limit on the length. Think of all gradients of
# all parameters as *one* long vector. If its Euclidean norm is above `max_norm`, every gradient is
# multiplied by the same factor `max_norm / norm`: the vector gets shorter and keeps its direction.
# A vector that is short enough stays as it is.
#
# The norm before clipping is worth a plot of its own, so return it.
#
# <details><summary>Hint: not one by one</summary>
#
# Clipping each parameter's gradient by its own norm, or each entry by its own size, turns the vector to
# another direction. `torch.nn.utils` has the function you want; writing it yourself takes three lines.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task3-clip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip_gradients(model, max_norm):
    """Task 3. Shrink the gradients of `model`, in place, so that their norm together fits.

    model: an nn.Module after a backward pass; parameters whose `.grad` is None are left alone.
    max_norm: float > 0. Returns the norm of all gradients before the clipping, a float.
    """
    ### BEGIN SOLUTION
    return float(nn.utils.clip_grad_norm_(model.parameters(), max_norm))
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task3-clip-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 3: gradients 3 and 4 have the norm 5; under a limit of 1 they become 0.6 and 0.8
import torch
from torch import nn

pair = nn.ParameterList([nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))])
pair[0].grad, pair[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
norm = float(clip_gradients(pair, 1.0))
assert abs(norm - 5) < 1e-4, f"the norm before clipping is 5, not {norm:.4f}"
clipped = [float(p.grad) for p in pair]
assert abs(clipped[0] - 0.6) < 1e-4 and abs(clipped[1] - 0.8) < 1e-4, f"expected 0.6 and 0.8, got {clipped}"

# %% nbgrader={"grade": true, "grade_id": "task3-clip-hidden", "locked": true, "points": 1.25, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("clip_values")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4 · Mixed precision, and many small batches
#
# ![Nine beats: zero, forward, loss, scale, backward, unscale, clip, step, update](img/nine_beats.svg)
#
# Half-precision numbers need half the memory and, on a GPU, a fraction of the time. But the
# smallest float16 above zero is about 6e-8. Gradients well below that are rounded to 0, and the weights
# behind them stop learning. A **gradient scaler** multiplies the loss by a large number before the backward pass, and
# with it every gradient; before the step it divides them again. If the scaled gradients overflow to
# infinity, it leaves that step out and tries a smaller scale from then on; after many good steps it
# tries a larger one. `scaler.update()` is where it decides, so call it once after every step.
#
# `train_amp_step` trains on one batch. The limit on the norm is meant for the *true* gradients, so the
# clipping has exactly one place where it can stand. On our CPU the scaler may be disabled: then it
# passes everything through, and the same lines must still be right.
#
# Whether you run the forward pass under `torch.autocast` is up to you; the tests accept both.
#
# <details><summary>Hint: the scaler's four calls</summary>
#
# `scaler.scale(loss)`, `scaler.unscale_(optimizer)`, `scaler.step(optimizer)`, `scaler.update()`. If you do
# not unscale, `step` does it for you, which is too late for clipping. PyTorch's notes on automatic mixed
# precision show the calls in an order; ask yourself at each line whether the gradients are true or
# scaled there.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task4-amp", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_amp_step(model, batch, loss_fn, optimizer, scaler, max_norm):
    """Task 4. One step of training on one batch, with a gradient scaler and clipping.

    model: an nn.Module in training mode; batch: a pair (images, labels), labels int64 (B,);
    loss_fn(logits, labels): a scalar tensor, the mean over the batch; optimizer: any optimizer
    over the model's parameters; scaler: a torch.amp.GradScaler, enabled or not; max_norm: float,
    the limit of the true gradients' norm.

    Returns the loss of the batch before the step, unscaled, a float. Where the scaled gradients
    are not finite, the weights stay as they are and the scaler lowers its scale.
    """
    ### BEGIN SOLUTION
    images, labels = batch
    optimizer.zero_grad()
    with torch.autocast(images.device.type, enabled=images.is_cuda):
        loss = loss_fn(model(images), labels)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    clip_gradients(model, max_norm)
    scaler.step(optimizer)
    scaler.update()
    return loss.item()
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task4-amp-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
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

# %% [markdown]
# **A large batch in small pieces**
#
# A batch that does not fit into memory can be taken in pieces. Gradients add up until they are
# cleared: a trap in every other loop, and the trick in this one. `accumulate_step` goes through a group of
# equally large batches and takes *one* step, which must be the step of one large batch that holds
# them all. The loss of the large batch is a mean over all its samples. What does that mean for the
# losses of the pieces?

# %% nbgrader={"grade": false, "grade_id": "task4-accumulate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accumulate_step(model, batches, loss_fn, optimizer, max_norm):
    """Task 4. One clipped step on the gradients of several batches together.

    batches: a list of pairs (images, labels), all of the same size, any number of them; the
    other arguments are those of `train_amp_step`, without a scaler. Gradients that were there
    before the call do not count.

    Returns the mean loss over all samples of the batches, before the step, a float.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    total = 0.0
    for images, labels in batches:
        loss = loss_fn(model(images), labels) / len(batches)
        loss.backward()
        total += loss.item()
    clip_gradients(model, max_norm)
    optimizer.step()
    return total
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task4-accumulate-public", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
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

# %% nbgrader={"grade": true, "grade_id": "task4-amp-hidden", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade(
    "amp_zero", "amp_beats", "amp_objective", "amp_clip", "amp_scaler", "amp_overflow", "amp_loss",
    "accumulate_scaled", "accumulate_step", "accumulate_loss",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5 · Stop, and go on as if nothing had been
#
# A training of days will be interrupted. A good checkpoint makes that invisible: two epochs, a power
# cut, two more epochs end with *exactly* the weights of four epochs in one go, to the last bit on a CPU.
# For that everything that has a state must come back:
#
# * the **model**'s weights;
# * the **optimizer**: momentum is a memory of earlier gradients, and the present learning rate is here too;
# * the **scheduler**: how far along its curve it is;
# * the **epoch**: how many are done;
# * the state of **torch's random generator**, which decides about shuffling and dropout.
#
# Save dictionaries of tensors, numbers and names (`state_dict()` gives you those), and not the objects
# themselves: an object in a file is only a note of which class to look for, and breaks when your code
# changes.
#
# And one more thing. The power may fail *while you save*, when the file is half written. If the old
# checkpoint was overwritten, both are lost. So whenever the process dies, `load_checkpoint` must find a
# whole checkpoint at `path`: the old one or the new one.
#
# <details><summary>Hint: a file that appears all at once</summary>
#
# Renaming a file within one folder happens at once or not at all, and takes the place of an older file of
# that name (`os.replace`). Copying does not.
#
# </details>
#
# <details><summary>Hint: the random generator</summary>
#
# `torch.get_rng_state()` and `torch.set_rng_state(...)`. The state is a tensor of bytes.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task5-save", "locked": false, "schema_version": 3, "solution": true, "task": false}
def save_checkpoint(path, model, optimizer, scheduler, epoch):
    """Task 5. Write all that a training needs to go on into the file `path`.

    path: str; model: an nn.Module; optimizer: a torch optimizer; scheduler: a learning-rate
    schedule with `state_dict()`; epoch: int, the epochs done. An older file at `path` is replaced
    all at once: it stays whole until the new one is.
    """
    ### BEGIN SOLUTION
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "random": torch.get_rng_state(),
    }
    partial = f"{path}.partial"
    torch.save(state, partial)
    os.replace(partial, path)
    ### END SOLUTION


# %% [markdown]
# ## Task 6 · Do not run what you only want to read
#
# Python's pickle format, in which `torch.save` writes, is a small programming language: a file can name
# any function and have it called while it is being read. So to load a stranger's checkpoint
# can mean to run a stranger's program. `load_checkpoint` must read data and nothing else: a file that
# holds code raises an exception (any one), and its code does not run.

# %% nbgrader={"grade": false, "grade_id": "task6-load", "locked": false, "schema_version": 3, "solution": true, "task": false}
def load_checkpoint(path, model, optimizer, scheduler):
    """Tasks 5 and 6. Bring model, optimizer, scheduler and torch's random generator back.

    path: str, a file of `save_checkpoint`; the others: new objects of the same kind as those
    that were saved, which are changed in place. Returns the epochs done, an int. Raises an
    exception, and runs nothing, where the file holds more than plain data.
    """
    ### BEGIN SOLUTION
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    torch.set_rng_state(state["random"])
    return state["epoch"]
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task5-resume-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
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

# %% nbgrader={"grade": true, "grade_id": "task5-resume-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("checkpoint_model", "checkpoint_plain", "checkpoint_state", "checkpoint_crash")
### END HIDDEN TESTS

# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task6-load-public", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
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

# %% nbgrader={"grade": true, "grade_id": "task6-load-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("checkpoint_refuses")
### END HIDDEN TESTS

# %% [markdown]
# ## Looking at it
#
# Plot what `lr_at` gives, and the rates that `train_epoch` returns under each of the three schedules. If a
# curve looks shifted by one step, it is. In a cell of your own:
#
# ```python
# import matplotlib.pyplot as plt
#
# toy = [(torch.rand(8, 4), torch.zeros(8, dtype=torch.long))] * 10
# for name, counts_batches in (("step", False), ("cosine", False), ("one-cycle", True)):
#     net = nn.Linear(4, 2)
#     sgd = torch.optim.SGD(net.parameters(), lr=0.1)
#     plan = make_scheduler(name, sgd, 6, len(toy))
#     epochs = [train_epoch(net, toy, nn.CrossEntropyLoss(), sgd, plan, counts_batches) for _ in range(6)]
#     plt.plot([rate for epoch in epochs for rate in epoch], label=name)
# plt.plot([lr_at(step, 60, 0.1, 12) for step in range(60)], label="lr_at")
# plt.gca().set(xlabel="step", ylabel="learning rate")
# plt.legend()
# plt.show()
# ```
#
# ## A template to mend
#
# No points, and the best exercise of all: the pieces of this assignment belong into one loop. Here is such a
# loop, as templates on the internet have it. It runs, and it has two mistakes that were published more than
# once. Your task 4 knows where one of them is; the other is in what it prints, and assignment 04 has
# met it.
#
# ```python
# def train(net, data, criterion, adam, plan, amp, epochs):
#     for epoch in range(epochs):
#         running = 0.0
#         for pictures, classes in data:
#             adam.zero_grad()
#             value = criterion(net(pictures), classes)
#             amp.scale(value).backward()
#             torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
#             amp.step(adam)
#             amp.update()
#             plan.step()
#             running += value.item()
#         print(epoch, running / len(data))
# ```
#
# Mend it, put your checkpoint of task 5 behind each epoch, and train the network of assignment 05 with it, with
# the one-cycle schedule. Break it off in the middle, and go on.

# %%
if __name__ == "__main__":
    rates = [lr_at(step, 60, 0.1, 12) for step in range(60)]
    for step in range(0, 60, 4):
        print(f"{step:3d} {rates[step]:.4f} {'#' * round(400 * rates[step])}")
