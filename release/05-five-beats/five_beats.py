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

# %%
class MLP(nn.Module):
    """Task 1. 784 → hidden → 10, with a ReLU between.

    The layers are the attributes `fc1` (784 → hidden), `act` and `fc2` (hidden → 10).
    """

    def __init__(self, hidden=256):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        """x: images (B, 1, 28, 28) float32. Returns raw logits, (B, 10) float32."""
        # YOUR CODE HERE
        raise NotImplementedError()

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

# %%
def set_seed(seed):
    """Task 2. Fix Python's, NumPy's and PyTorch's random numbers, so that two runs agree.

    seed: int
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %%
# Task 2. Call set_seed; then device, train_loader and test_loader
# YOUR CODE HERE
raise NotImplementedError()

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

# %%
# Task 3. model, criterion, optimizer, scaler
# YOUR CODE HERE
raise NotImplementedError()

# %%
def train_one_epoch():
    """Task 3. Train `model` for one pass over `train_loader`.

    Returns the mean loss over all samples, a float.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

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

# %%
def evaluate():
    """Task 4. The accuracy of `model` on all of `test_loader`, a float in [0, 1]."""
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · Everything in its place
#
# There is nothing new to write here, only something to look at again: the point is for the moves of tasks 3
# and 4. A tensor lives on one device, and
# two tensors can only meet on the same one. So the model moves to `device` once, before the
# optimizer is made, and every batch, pictures **and** labels, moves to it in both loops. On a
# machine without a GPU you will not notice a forgotten move; we will, because your program is also
# run on a make-believe GPU that is as strict as a real one. There `torch.cuda.is_available()` says True.

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

# %%
# Task 6. Three epochs; best_acc; best_mlp.pt
# YOUR CODE HERE
raise NotImplementedError()

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
