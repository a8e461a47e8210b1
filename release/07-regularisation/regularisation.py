# %% [markdown]
# # Regularisation
#
# * **You will need** four hours, and five minutes of computing.
# * **You should know** assignment 04.
# * **Afterwards you can** see overfitting on two curves, slow it down, and stop in time with the right
#   weights in hand.
#
# A network that has seen the same 600 images thirty times knows them by heart. That is what its
# training loss says, and it is not what you want to know. The **validation loss** is: the loss on
# images that no step was ever taken on.
#
# ![Four curves over thirty epochs: both training losses keep falling, and the validation losses turn and rise](img/overfit.svg)
#
# This is a real run: 600 images of MNIST, a network 784-128-64-10, Adam at 1e-3, thirty epochs, and 1,000
# other images to validate. Without dropout the training loss sinks to 0.03. The validation loss turns at
# epoch 15, where it is 0.44, and has climbed to 0.50 at the end: from the dotted line on the network learns
# these 600 images, and no longer digits. With dropout 0.2 the training loss ends at 0.10 and the validation
# loss at 0.44. They lie nearer to each other, and the turn comes later and is flatter.
#
# > **The accuracies hardly differ.** With the weights of their best epochs, 88.2 % of the validation images
# > are right without dropout and 88.5 % with it; two other seeds give 89.0 and 88.9, 88.7 and 89.2.
# > Overfitting shows in the loss long before it shows in the accuracy: the network answers the same,
# > and is surer and surer where it is wrong.
#
# You are going to write the three usual remedies (dropout, a penalty on large weights, stopping in
# time), a loop that stops in time and keeps the best weights, and the picture on which one sees all this.
#
# Names and arguments are fixed, the inside is yours, and you may use all of PyTorch. Tensors that a function
# is given stay as they were; what is trained is the model alone.

# %%
import copy
import math

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split
from torchvision import datasets, transforms

# %% [markdown]
# ## Task 1 · Dropout
#
# A network that overfits has units which rely on one another: one knows image 17, the next corrects
# what the first one spoils elsewhere. Dropout makes such arrangements useless. In training each entry
# of its input becomes **zero with probability p**, each for itself, and at every call anew. What
# remains is multiplied by 1 / (1 − p), so that the expected value stays what it was. In evaluation it
# does nothing at all: the input comes out unchanged.
#
# `Dropout(0.5)` on ten ones gives zeros and twos, about five of each.
#
# <details><summary>Hint: which mode is it?</summary>
#
# `train()` and `eval()` set `self.training` for you, in a module and in all modules that it holds.
#
# </details>
#
# <details><summary>Hint: a mask</summary>
#
# `torch.rand_like(x)` gives a number between 0 and 1 for each entry. A comparison with p makes it a mask
# of True and False. Which share of it is True?
#
# </details>

# %%
class Dropout(nn.Module):
    """Task 1. Sets entries to zero by chance while the network trains.

    Dropout(p=0.5): raises ValueError where p is not in 0 <= p < 1. Called on a float tensor of
    any shape, without inf and nan, it returns one of the same shape. In training mode each entry
    is zero with probability p, independently of the others and anew at each call, and the others
    are multiplied by 1 / (1 - p); gradients pass where entries passed. In evaluation mode it
    returns its input, or an equal tensor. Two calls after the same torch.manual_seed give the
    same.
    """

    def __init__(self, p=0.5):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, x):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% [markdown]
# ## Task 2 · A price on large weights
#
# A network that learns images by heart needs large weights for it. So let them cost something: add
# λ · Σ θ² to the loss, over all parameters θ. Its gradient is 2 λ θ, which pulls every weight towards
# zero, and harder the larger it is. For SGD this is exactly what `weight_decay=2*lam` does.
#
# Parameters 1, 2 and 3 at λ = 0.1 cost 0.1 · (1 + 4 + 9) = 1.4.
#
# <details><summary>Hint: what counts as a parameter</summary>
#
# `model.parameters()` lists what can be learnt. `model.state_dict()` lists more: the means that batch
# norm gathers, for instance. They are nobody's weights.
#
# </details>

# %%
def l2_penalty(model, lam):
    """Task 2. lam times the sum of the squares of all parameters.

    model: an nn.Module with at least one parameter; lam: float >= 0. Returns a scalar tensor
    that gradients pass through, down to each parameter; buffers do not count. Whether frozen
    parameters (requires_grad=False) count is open.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 3 · Stop in time
#
# Where the validation loss no longer falls, more epochs do harm. But it wobbles, so a single bad epoch
# says little. **Patience** is the number of epochs without improvement, in a row, at which one stops.
#
# `EarlyStopping(patience, min_delta=0.0)` is told each validation loss by `step(val_loss)`, which says
# whether to stop: True the first time that the last `patience` steps all brought no improvement. A step
# *improves* if its loss is below `best − min_delta`, where `best` is the lowest loss that counted as an
# improvement. A loss that is nan never improves.
#
# | step | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
# |---|---|---|---|---|---|---|---|---|
# | validation loss | 0.9 | 0.7 | 0.8 | 0.75 | 0.6 | 0.65 | 0.66 | 0.67 |
#
# With patience 1 this stops at step 2, with patience 2 at step 3, with patience 3 at step 7. The first
# two would have missed the best loss of all.
#
# <details><summary>Hint: by hand first</summary>
#
# Write the value of your counter under each loss of the table, before you write any code.
#
# </details>

# %%
class EarlyStopping:
    """Task 3. Says when to stop.

    patience: int >= 1; min_delta: float >= 0. `step(val_loss)` takes a float and returns a bool:
    True the first time that `patience` steps in a row brought no improvement (what it says
    after that is open). A step improves if val_loss < best - min_delta; nan never does.
    `best`: the lowest loss that counted as an improvement, inf before the first. `best_step`:
    the number of that step, counted from 0, None before the first.
    """

    def __init__(self, patience, min_delta=0.0):
        # YOUR CODE HERE
        raise NotImplementedError()

    def step(self, val_loss):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% [markdown]
# ## Task 4 · A loop that keeps its best weights
#
# To stop in time is half of it. When patience runs out, the best epoch is over, and the model holds the
# weights of a worse one. So the loop has to keep the best weights when it sees them, and to put them
# back at the end.
#
# Each epoch of `fit_with_validation` trains on all batches of `train_loader`, and then measures the mean
# loss over the samples of `val_loader`. That measurement neither trains nor needs a graph, and it is made
# as the network will be used, with nothing dropped. Then `EarlyStopping(patience)` is asked. (You may count
# by hand instead. A mistake in your task 3 does not cost you points here again.) After the last epoch,
# wherever that was, **the model holds the weights of the epoch with the lowest validation loss**, and with
# them the buffers of that epoch, such as the means of batch norm: a `state_dict()` has both.
#
# Whether you keep them in memory or in a file is up to you.
#
# <details><summary>Hint: does it still say what it said?</summary>
#
# Print one number of the weights that you kept, now and after another epoch.
#
# </details>

# %%
def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    """Task 4. Train, validate after each epoch, stop in time, and give back the best weights.

    model: an nn.Module, in whatever mode; train_loader, val_loader: yield (images, labels),
    labels int64 (B,), the last batch perhaps a short one; loss_fn(logits, labels): a scalar
    tensor, the mean over the batch; optimizer: any optimizer over the model's parameters whose
    step() needs no closure; epochs: int >= 1, at most so many; patience: int >= 1, as in task 3.

    Returns {"train_loss": list, "val_loss": list, "best_epoch": int, "stopped_early": bool}. The
    lists hold a float for each epoch that was run: train_loss the mean loss over the training
    samples, each as its batch was trained on, and val_loss the mean loss over the validation
    samples after that. best_epoch: the number of the epoch with the lowest val_loss, from 1.
    stopped_early: whether it stopped before `epochs` were done.

    The model then holds the weights of its best epoch, in either mode. Open is what happens where
    patience runs out just with the last epoch (stopped_early), where two epochs are equally good,
    and where no val_loss is a number.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · With and without
#
# `make_mlp(p)` is the network whose curves the picture shows: 784-128-64-10, a ReLU after each hidden layer,
# and dropout with probability p after each ReLU. Where p is 0 there is none, or one that does nothing. What
# comes out are raw logits, and nothing is dropped from them.
#
# `with_and_without` trains two of them on MNIST's training images, one with p = 0 and one with the given
# p, each by your loop of task 4, with Adam at 1e-3 and batches of 64. A sixth of the images, rounded up or
# down and chosen by `random_split`, is for validation, in batches of any size. `ToTensor` is preparation
# enough; to normalise as well is fine.
#
# The comparison is fair if dropout makes the difference, and not chance. So set the seed anew for each: both
# begin with the same weights and are validated on the same images. The order of the training batches may
# differ, because dropout draws random numbers, too.
#
# Patience is `epochs`, so that both curves go on to the end, where you can compare them.
#
# The test images stay out of this. Whatever you look at while you choose, you fit.
#
# <details><summary>Hint: the same split twice</summary>
#
# `random_split` draws from a generator. Give it one of its own, with a seed, or set the seed before each.
#
# </details>

# %%
def make_mlp(p):
    """Task 5. A network 784-128-64-10 with ReLU, and dropout after each ReLU.

    p: float, 0 <= p < 1, the probability that a unit is dropped. Returns an nn.Module that takes
    (B, 1, 28, 28) float32 to (B, 10) raw logits; it has 109,386 parameters.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %%
def with_and_without(root, p=0.2, epochs=10, seed=0):
    """Task 5. Train the network without dropout and with it, from the same start.

    root: folder of the MNIST data, downloaded where they are missing; p: float, the dropout of
    the second network; epochs: int; seed: int, set anew for each network, so that both have the
    same first weights and the same validation images. Both are trained by `fit_with_validation`,
    with patience=epochs, on MNIST's training images alone: five sixths to train, a sixth to
    validate.

    Returns {"plain": history, "dropout": history}, as `fit_with_validation` gives them.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 6 · Two curves that belong together
#
# Overfitting is a *distance between two curves*, so draw both into the same axes: the training and the
# validation loss of each epoch, a legend, and a vertical line at the epoch whose weights were kept. Each
# history has an axes of its own, all in one figure, and all share their y-axis: whoever compares two
# pictures with different scales compares nothing.
#
# Epochs count from 1, on the x-axis as in `best_epoch`.
#
# <details><summary>Hint: one axes or several</summary>
#
# `plt.subplots(1, n, sharey=True, squeeze=False)` gives a table of axes, for one history too.
#
# </details>

# %%
def plot_curves(histories):
    """Task 6. Training and validation loss of some runs, an axes for each.

    histories: {name: history of `fit_with_validation`}. Returns a matplotlib Figure with one axes
    per name, titled by it: train_loss and val_loss over the epochs 1, 2, …, labelled with
    words that begin with "train" and "val" (or "Train" and "Val"), a legend, a vertical line at
    best_epoch, with a label or without, and one y-axis for all.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 7 · Read your own curves
#
# First run `with_and_without` on MNIST and look at `curves.png`: the last experiment of task 6 does that (in
# the script it stands at the very end). Then write six sentences in the cell `curves_read`, in place of its
# dots; a person reads them. Which network overfits, and from which epoch on? What did dropout change, and
# what not? Would you have stopped, and what would you have kept? What would you try next?
#
# Five things earn a point each, and any three of them give all three points:
#
# * the turn of the validation loss, with its epoch in your plot (or that it has not turned by the last one);
# * the *gaps* between validation and training compared, rather than the levels;
# * honest words on accuracies that differ by less than a repetition would (the plot has none: take those of
#   the experiment of task 5);
# * the best weights kept, not the last;
# * a next step that fits what you saw.

# %% [markdown]
# BEGIN ANSWER curves_read
# ...
# END ANSWER

# %% [markdown]
# ## Experiment · task 2, A price on large weights

# %% [markdown]
# **Predict.** In SGD the penalty and the optimizer's `weight_decay` are the same. Are they in AdamW? Below, a
# weight of 2 with a gradient of 0.5 takes one step of each, at rate 0.1, with λ = 0.05.

# %%
my_guess_2 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_2)
    for name, make in (("SGD", torch.optim.SGD), ("AdamW", torch.optim.AdamW)):
        places = []
        for in_the_loss in (True, False):
            weight = nn.ParameterList([nn.Parameter(torch.tensor(2.0))])
            optimizer = make(weight.parameters(), lr=0.1, weight_decay=0.0 if in_the_loss else 0.1)
            loss = 0.5 * weight[0]
            if in_the_loss:
                loss = loss + l2_penalty(weight, 0.05)
            loss.backward()
            optimizer.step()
            places.append(float(weight[0].detach()))
        print(f"{name:6s} penalty in the loss: {places[0]:.4f}, weight_decay: {places[1]:.4f}")

# %% [markdown]
# With SGD both end at 1.9300. AdamW divides by the size of the gradient, and with it the penalty: its first
# step is 0.1 long whatever the loss is, to 1.9000. Its `weight_decay` acts beside that step, so the
# weight ends at 1.8800. (Task 7 of assignment 02.)

# %% [markdown]
# ## Experiment · task 5, With and without

# %% [markdown]
# **Predict.** The opening picture again, by your own code and with a third network: 600 images, thirty epochs,
# p = 0, 0.2 and 0.5. Which of the three has the lowest training loss at the end? Which the lowest validation
# loss? And by how much will their accuracies differ?

# %%
my_guess_5 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_5)
    make_mlp(0.0)  # nothing is downloaded before this is written
    mnist = datasets.MNIST("data", train=True, download=True)
    images, classes = mnist.data[:3000, None].float() / 255, mnist.targets[:3000]
    seen = TensorDataset(images[:600], classes[:600])
    unseen = TensorDataset(images[-1000:], classes[-1000:])
    for p in (0.0, 0.2, 0.5):
        torch.manual_seed(0)
        model = make_mlp(p)
        told = fit_with_validation(
            model,
            DataLoader(seen, batch_size=64, shuffle=True),
            DataLoader(unseen, batch_size=500),
            nn.CrossEntropyLoss(),
            torch.optim.Adam(model.parameters(), lr=1e-3),
            epochs=30,
            patience=30,
        )
        with torch.no_grad():
            right = (model.eval()(images[-1000:]).argmax(1) == classes[-1000:]).float().mean()
        print(
            f"p = {p:.1f}: best epoch {told['best_epoch']}, validation loss "
            f"{min(told['val_loss']):.3f} there and {told['val_loss'][-1]:.3f} at the end, "
            f"training loss {told['train_loss'][-1]:.3f}; accuracy of the best weights {right:.3f}"
        )

# %% [markdown]
# ## Experiment · task 6, Two curves that belong together

# %% [markdown]
# Now the run that you are going to read in task 7. On all of MNIST it takes a few minutes; nobody hurries
# you, and the MNIST that your work is graded with has a few images only.

# %%
if __name__ == "__main__":
    both = with_and_without("data")
    plot_curves(both).savefig("curves.png")
    for name, told in both.items():
        print(f"{name:8s} training   ", " ".join(f"{v:.3f}" for v in told["train_loss"]))
        print(f"{name:8s} validation ", " ".join(f"{v:.3f}" for v in told["val_loss"]))
        print(f"{name:8s} best epoch {told['best_epoch']}")
