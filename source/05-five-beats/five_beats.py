# %% [markdown]
# # The five beats
#
# * **You will need** three hours; the computing takes a minute or two.
# * **You should know** assignment 04.
# * **Afterwards you can** put data, network, loop, evaluation and checkpoint together in one program that
#   runs with a GPU and without, and keeps its best weights.
#
# Every network you will ever train, from the smallest perceptron to the largest language model,
# is trained by the same short loop. It has five beats:
#
# ![The five beats as a ring: zero, forward, loss, backward, step](img/five_beats.svg)
#
# | beat | in code | what happens |
# |---|---|---|
# | **zero** | `optimizer.zero_grad()` | the gradients of the last batch are cleared |
# | **forward** | `logits = model(images)` | the network makes its predictions |
# | **loss** | `loss = criterion(logits, labels)` | one number says how wrong they are |
# | **backward** | `loss.backward()` | every parameter learns which way is downhill |
# | **step** | `optimizer.step()` | every parameter takes a small step that way |
#
# In this lab you write one self-contained program that plays these beats on Fashion-MNIST, small
# grey pictures of clothes in ten classes, and keeps its best network on disk. It runs on a GPU
# where there is one and on a CPU where there is none, without a change.
#
# Please keep the names this handout gives: `set_seed`, `device`, `train_loader`, `test_loader`,
# `MLP`, `model`, `criterion`, `optimizer`, `scaler`, `train_one_epoch`, `evaluate`, `best_acc`. Your
# program is judged by what these *do*, so everything else, the style most of all, is yours.
#
# `train_one_epoch` and `evaluate` are called without arguments; arguments with defaults do no harm. They
# use the global `model`, `optimizer` and loaders.

# %%
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

# %% [markdown]
# ## Task 1 · A network with one hidden layer
#
# Our network looks at a picture of 28 × 28 pixels as a row of 784 numbers, mixes them into
# `hidden` features, bends each with a ReLU, and mixes those into ten scores, one per class:
#
# $$\text{logits} = W_2\,\mathrm{relu}(W_1 x + b_1) + b_2$$
#
# The scores are called **logits**. They are not probabilities, and should not be turned into any
# inside the network: the loss does that itself, and more accurately than we could.
#
# The bend matters more than it looks. Without it, two linear layers one after the other are just
# one linear layer with more work. `act` may be an `nn.ReLU()` or a function such as `torch.relu`.
#
# <details><summary>Hint: from a picture to a row</summary>
#
# A batch has the shape `(B, 1, 28, 28)`. `x.flatten(1)` keeps the first dimension, the batch, and
# joins all the others. `x.view(-1, 784)` does the same here. Be careful never to mix the batch
# dimension with another one: each picture must be judged on its own.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task1-mlp", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MLP(nn.Module):
    """Task 1. 784 → hidden → 10, with a ReLU between.

    The layers are the attributes `fc1` (784 → hidden), `act` and `fc2` (hidden → 10).
    """

    def __init__(self, hidden=256):
        super().__init__()
        ### BEGIN SOLUTION
        self.fc1 = nn.Linear(28 * 28, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)
        ### END SOLUTION

    def forward(self, x):
        """x: images (B, 1, 28, 28) float32. Returns raw logits, (B, 10) float32."""
        ### BEGIN SOLUTION
        return self.fc2(self.act(self.fc1(x.flatten(1))))
        ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task1-mlp-public", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Task 1: the shape of the answer, and the number of parameters
import torch

net = MLP(hidden=256)
logits = net(torch.zeros(5, 1, 28, 28))
assert logits.shape == (5, 10), f"expected 10 logits per picture, (5, 10), got {tuple(logits.shape)}"
count = sum(p.numel() for p in net.parameters())
assert count == 203_530, f"784 → 256 → 10 has 203,530 parameters, yours has {count:,}"
for name in ("fc1", "act", "fc2"):
    assert hasattr(net, name), f"the layers are called fc1, act and fc2; there is no {name}"

# %% nbgrader={"grade": true, "grade_id": "task1-mlp-hidden", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("mlp_logits", "mlp_nonlinear", "mlp_registered", "mlp_rows")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2 · Seeds, the device and the data
#
# An experiment that you cannot repeat is an anecdote. `set_seed` fixes every source of randomness
# that the program draws from: Python's, NumPy's and PyTorch's. Call it **before** anything random
# happens; the first random thing here is the initialisation of the network, the next the order
# of the training pictures. Which seed you take is up to you. On another machine, or with another version
# of PyTorch, the same seed can give other digits; on one machine it gives the same.
#
# `device` is the place where the work is done: `torch.device("cuda")` where there is a GPU, else
# `torch.device("cpu")`. A laptop by Apple has a GPU as well, which PyTorch calls `"mps"`. If yours has one you
# can ask `torch.backends.mps.is_available()` after you asked for `"cuda"`; where your work is graded there is
# none, and nothing changes.
#
# The two loaders hand out the data in batches:
#
# * `train_loader`: batches of **128**, **shuffled**, in a new order each epoch. Seeing the same
#   pictures in the same company again and again teaches the network about the company. `shuffle=True` does
#   it, and so does a sampler.
# * `test_loader`: batches of **256**, **in order**. Nothing is learnt from it, so there is nothing to
#   shuffle.
#
# <details><summary>Hint: where the pictures come from</summary>
#
# `datasets.FashionMNIST("data", train=True, download=True, transform=transforms.ToTensor())` downloads
# them into the folder `data` the first time, and finds them there afterwards. `ToTensor` turns a
# picture into a float tensor of shape `(1, 28, 28)` with values in [0, 1].
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task2-seed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def set_seed(seed):
    """Task 2. Fix Python's, NumPy's and PyTorch's random numbers, so that two runs agree.

    seed: int
    """
    ### BEGIN SOLUTION
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # the GPU's generators too
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "task2-data", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 2. Call set_seed; then device, train_loader and test_loader
### BEGIN SOLUTION
set_seed(42)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

to_tensor = transforms.ToTensor()
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=to_tensor)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=to_tensor)
train_loader = DataLoader(train_set, batch_size=128, shuffle=True)
test_loader = DataLoader(test_set, batch_size=256, shuffle=False)
### END SOLUTION

# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task2-data-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 2: one batch of each loader
images, labels = next(iter(train_loader))
assert images.shape == (128, 1, 28, 28), f"a training batch is (128, 1, 28, 28), not {tuple(images.shape)}"
assert labels.shape == (128,), f"it has 128 labels, not {tuple(labels.shape)}"
images, labels = next(iter(test_loader))
assert images.shape[1:] == (1, 28, 28), f"pictures are (1, 28, 28), not {tuple(images.shape[1:])}"
assert len(images) == min(256, len(test_loader.dataset)), "test batches hold 256 pictures"

# %% nbgrader={"grade": true, "grade_id": "task2-data-hidden", "locked": true, "points": 2.75, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("train_shuffled", "eval_order", "seeding", "statistics")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3 · One epoch of five beats
#
# First the four things the loop plays with:
#
# * `model`: an `MLP`, moved to `device`; in the loop, both halves of each batch, pictures and labels, move
#   there too,
# * `criterion`: `nn.CrossEntropyLoss()`, which takes **logits** and class numbers,
# * `optimizer`: `torch.optim.AdamW` with learning rate 1e-3, and otherwise as PyTorch has it. It must be
#   given the parameters of the very model that is trained,
# * `scaler`: `torch.amp.GradScaler(device.type, enabled=...)`, switched on only on a GPU.
#
# The scaler is there for half precision. On a GPU, `torch.autocast` computes in 16 bits where that is
# safe, which is fast, but small gradients vanish in 16 bits. So the scaler multiplies the loss by a
# large number before `backward`, divides the gradients by it before the step, and adjusts that number
# as training goes on. Switched off, each of its calls does what plain code would. The other beats stay as
# they are:
#
# | plain | with a scaler |
# |---|---|
# | `loss.backward()` | `scaler.scale(loss).backward()` |
# | `optimizer.step()` | `scaler.step(optimizer)` |
# | | `scaler.update()` |
#
# Whether you run the forward pass under `torch.autocast` is up to you.
#
# `train_one_epoch` then goes once through `train_loader` in training mode, plays the five beats for
# every batch, and returns the **mean loss over all samples**.
#
# <details><summary>Hint: why not the mean of the batches' means?</summary>
#
# The last batch is usually smaller. If its mean counts as much as the others', its pictures count
# more than theirs. Add up `loss.item() * len(labels)` and divide by the number of pictures at the end.
# And mind the `.item()`: it takes the number out of the graph, so that the graph can be forgotten. (Many books
# divide the sum of the batches' means by the number of batches. That is the same only where all batches
# are equally large: 60,000 pictures in batches of 128 leave 96 for the last one.)
#
# </details>
#
# <details><summary>Hint: where the scaler stands</summary>
#
# It wraps two of the five beats, backward and step, and adds one line behind them. Zero, forward and loss do
# not know of it. (Whoever clips gradients has to unscale them first; assignment 08 is about that.)
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task3-setup", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 3. model, criterion, optimizer, scaler
### BEGIN SOLUTION
model = MLP(hidden=256).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "task3-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_one_epoch():
    """Task 3. Train `model` for one pass over `train_loader`.

    Returns the mean loss over all samples, a float.
    """
    ### BEGIN SOLUTION
    model.train()
    total, count = 0.0, 0
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        with torch.autocast(device.type, enabled=scaler.is_enabled()):
            logits = model(images)
            loss = criterion(logits, labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task3-epoch-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 3: an epoch returns its mean loss; guessing among ten classes costs ln 10 = 2.3
mean_loss = float(train_one_epoch())
assert 0 < mean_loss < 3, f"a mean loss between 0 and 3 is plausible, {mean_loss} is not"

# %% nbgrader={"grade": true, "grade_id": "task3-epoch-hidden", "locked": true, "points": 7.25, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("zero_grad", "beats", "objective", "train_mode", "epoch_loss", "graphs")
grade("scaler", "wiring", "rate", "batch")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4 · Evaluation
#
# ![Training and evaluation differ by two switches](img/train_eval.svg)
#
# Two switches tell PyTorch that nothing is being learnt now:
#
# * `model.eval()`: layers such as dropout and batch norm behave as they do in use. Our `MLP` has
#   none of them yet, but the next network will, and the loop should not care.
# * `torch.no_grad()`: no graph is built, which saves memory and time.
#
# `evaluate` returns the fraction of pictures in `test_loader` whose largest logit is the right one. No softmax
# is needed for that: it keeps the order of the logits, so the largest stays the largest.
#
# <details><summary>Hint: the answer of a batch</summary>
#
# `logits.argmax(dim=1)` gives, for each row, the place of its largest number: one class for each picture.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task4-evaluate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def evaluate():
    """Task 4. The accuracy of `model` on all of `test_loader`, a float in [0, 1]."""
    ### BEGIN SOLUTION
    model.eval()
    correct, count = 0, 0
    with torch.no_grad():
        for images, labels in test_loader:
            images, labels = images.to(device), labels.to(device)
            predicted = model(images).argmax(dim=1)
            correct += (predicted == labels).sum().item()
            count += len(labels)
    return correct / count
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task4-evaluate-public", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Task 4: an accuracy is a fraction, and the same question gets the same answer (no points)
accuracy = float(evaluate())
assert 0 <= accuracy <= 1, f"an accuracy is between 0 and 1, not {accuracy}"
assert float(evaluate()) == accuracy, "nothing was learnt in between, and yet the accuracy changed"

# %% nbgrader={"grade": true, "grade_id": "task4-evaluate-hidden", "locked": true, "points": 1.75, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("evaluate_accuracy", "evaluate_mode", "evaluate_no_grad")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5 · Everything in its place
#
# There is nothing new to write here, only something to look at again: the point is for the moves of tasks 3
# and 4. A tensor lives on one device, and
# two tensors can only meet on the same one. So the model moves to `device` once, before the
# optimizer is made, and every batch, pictures **and** labels, moves to it in both loops. On a
# machine without a GPU you will not notice a forgotten move; we will, because your program is also
# run on a make-believe GPU that is as strict as a real one. There `torch.cuda.is_available()` says True.

# %% nbgrader={"grade": true, "grade_id": "task5-device-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("device")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6 · Three epochs, and keep the best
#
# Train for **three epochs**. After each one, evaluate and print a line with the epoch, the loss and the
# accuracy. Whenever the accuracy is the best so far, remember it in `best_acc` and save the model's
# `state_dict` to `best_mlp.pt`, in the folder in which the program runs. In the end the file holds the best
# epoch's weights, which need not be the last epoch's. (It is looked at when your program has ended, so you
# may also write it once, behind the loop.)
#
# What to expect of all 60,000 pictures: a published run of such a program printed these losses and accuracies
# (its pictures were normalised, too). Yours will differ in the second or third digit; an accuracy near
# 0.1, or one that stays where it is, is another matter.
#
# ```
# 0.5189 0.8456
# 0.3812 0.8643
# 0.3401 0.8721
# ```
#
# In the notebook the test of task 3 has trained the network for an epoch before, and yours begins where it
# left off. That does no harm: where your work is graded, test cells that are as they were handed out are
# not run.
#
# A word of warning. You choose the best of three epochs by its accuracy on the *test* pictures, so
# `best_acc` is a little too good: of several noisy numbers you kept the largest. With three epochs the harm
# is small. From assignment 07 on, a validation part is there to choose by, and the test set is left alone.
#
# <details><summary>Hint: what to save</summary>
#
# `torch.save(model.state_dict(), "best_mlp.pt")` saves the numbers. Saving the model object itself
# would save *code* by reference: such a file breaks when the class moves, and `torch.load` refuses it
# by default, since unpickling a stranger's object can run anything. If you would rather keep the best
# weights in memory until the end, copy them: a `state_dict` shares its tensors with the model, and
# goes on training with it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task6-train", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 6. Three epochs; best_acc; best_mlp.pt
### BEGIN SOLUTION
best_acc = 0.0
for epoch in range(3):
    loss = train_one_epoch()
    accuracy = evaluate()
    print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.4f}")
    if accuracy > best_acc:
        best_acc = accuracy
        torch.save(model.state_dict(), "best_mlp.pt")
print(f"best accuracy: {best_acc:.4f}")
### END SOLUTION

# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task6-train-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 6: the file is a state_dict that fits a fresh MLP
from pathlib import Path

import torch

assert 0 < best_acc <= 1, f"best_acc is a fraction between 0 and 1, not {best_acc}"
assert Path("best_mlp.pt").is_file(), "there is no file best_mlp.pt after the run"
state = torch.load("best_mlp.pt", weights_only=True, map_location="cpu")
fits = MLP(hidden=256).load_state_dict(state, strict=False)
assert not any(fits), f"its names are not those of an MLP: {fits}"

# %% nbgrader={"grade": true, "grade_id": "task6-train-hidden", "locked": true, "points": 2.25, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("epochs", "checkpoint_reloads", "checkpoint_best", "best_acc")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 7 · How good is it?
#
# Your network now meets pictures that neither you nor it has seen. With three epochs on all 60,000
# pictures, 85 to 88 % of them come out right. The grader trains your program on fewer pictures, so that it
# is quick, and its bar is lower. The bar was measured with correct programs on just these pictures: you
# get full marks if you reach what they reach, and part marks just below.
#
# Does the file hold what you think? Load it and ask it, in a cell of your own:
#
# ```python
# again = MLP()
# again.load_state_dict(torch.load("best_mlp.pt", weights_only=True, map_location="cpu"))
# images, labels = next(iter(test_loader))
# print((again.eval()(images).argmax(dim=1) == labels).float().mean())
# ```
#
# More epochs will not take this network far beyond 90 %. A row of 784 numbers does not tell it which pixels are
# neighbours: here the architecture is the ceiling, and not the training.
#
# If you are curious, go on from here: what does `hidden=512` change? Ten epochs? A learning rate of
# 0.1? Keep a table; the last assignment of the course is about reading such tables honestly.

# %% nbgrader={"grade": true, "grade_id": "task7-accuracy-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("accuracy")
### END HIDDEN TESTS
