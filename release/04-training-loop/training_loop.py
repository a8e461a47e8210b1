# %% [markdown]
# # The training loop, as functions
#
# * **You will need** five hours; the computing takes a minute or two.
# * **You should know** assignments 02 and 03.
# * **Afterwards you can** write the loop and the evaluation of any classifier, and say what goes wrong
#   where one of the five beats is missing or in another place.
#
# Every training repeats the same five beats, once for each batch:
#
# ![The five beats as a ring: zero, forward, loss, backward, step](img/five_beats.svg)
#
# | beat | in code | what happens |
# |---|---|---|
# | **zero** | `optimizer.zero_grad()` | the gradients of the last batch are cleared |
# | **forward** | `model(images)` | the network makes its predictions |
# | **loss** | `loss_fn(…, labels)` | one number says how wrong they are |
# | **backward** | `loss.backward()` | every parameter learns which way is downhill |
# | **step** | `optimizer.step()` | every parameter takes a small step that way |
#
# Why write this loop at all? Other libraries have a `fit()`. But when training goes wrong, and it will,
# the loop is the place where you can stop at step 47 and look at one batch, one gradient, one weight.
#
# In this assignment you turn them into functions that work for *any* model, loader, loss and
# optimizer: the small library that you will carry from project to project. Around them you build
# what every project needs next: an honest accuracy, a confusion matrix, a history and a plot.
#
# The last task puts it all together and reads handwritten digits.
#
# Please keep the names and arguments of the functions: the tests call them. How you write them
# inside is yours. A function must work with whatever it is given: another model, batches of another
# size, a last batch that is smaller than the others.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

# %% [markdown]
# ## Task 1 · MNISTMLP
#
# A picture of a digit has 28 × 28 = 784 pixels. Our network reads them as one row and passes them
# through three linear layers, 784 → 128 → 64 → 10, with a ReLU after the first and the second.
# What comes out of the third are ten raw scores, the **logits**: no softmax, no ReLU, because the loss
# expects them as they are.
#
# Count the parameters before you run the test. Each linear layer has `inputs × outputs` weights and
# `outputs` biases; you should arrive at 109,386.
#
# <details><summary>Hint: layers that PyTorch can find</summary>
#
# A layer belongs to the model when it is an attribute of it (`self.fc1 = nn.Linear(...)`), or sits in
# an `nn.Sequential` or `nn.ModuleList`. A plain Python list hides its layers: they compute, but
# `model.parameters()` does not see them, and so no optimizer ever moves them.
#
# </details>

# %%
class MNISTMLP(nn.Module):
    """Task 1. 784 → 128 → 64 → 10 with ReLU between the layers."""

    def __init__(self):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, images):
        """images: (B, 1, 28, 28) float32. Returns raw logits, (B, 10) float32."""
        # YOUR CODE HERE
        raise NotImplementedError()

# %% [markdown]
# ## Task 2 · One epoch of training
#
# One pass over the data, five beats for every batch: **zero** the gradients, run the model
# **forward**, compute the **loss**, go **backward**, take a **step**. Switch the model to training mode
# first; whoever called you may have left it in evaluation mode.
#
# Return the mean loss **over samples**. If the last batch is smaller, its samples must not count for
# more than the others.
#
# What happens without the first beat depends on the rate, and sometimes looks like an improvement: see
# [with and without zero_grad](explore/zero-grad.html). A whole training to play with is [two
# circles](explore/two-circles.html).
#
# <details><summary>Hint: adding up without keeping everything</summary>
#
# `loss` is a tensor with a whole graph behind it. Adding up tensors keeps every one of those graphs
# alive until the epoch ends, and the memory fills up. `loss.item()` is just the number.
#
# </details>
#
# <details><summary>Hint: from a batch's mean to a sum</summary>
#
# The loss functions of PyTorch return the mean over the batch. Mean times size is the sum:
# `loss.item() * len(labels)`. Many books divide the sum of the batches' means by the number of batches
# instead. That is the same where all batches are equally large, and only there.
#
# </details>
#
# <details><summary>Five places where the zero may stand, and one where it may not</summary>
#
# Learners often ask whether a program that clears the gradients elsewhere is wrong. What counts is that they are
# clear when a backward pass begins, and still there when its step reads them. So the clearing may stand
# first in the loop, behind the forward pass, behind the loss, right behind the step, or last in the loop
# (if you also clear once before it). Between backward and step it may not.
#
# </details>

# %%
def train_one_epoch(model, dataloader, loss_fn, optimizer):
    """Task 2. Train `model` for one pass over `dataloader`.

    model: an nn.Module; dataloader: yields (images, labels), labels int64 (B,);
    loss_fn(logits, labels): a scalar tensor, the mean over the batch;
    optimizer: any torch.optim.Optimizer over the model's parameters.

    Returns the mean loss over all samples of the epoch, a float. An error of the model or the
    loss function is passed on as it is.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 3 · Evaluation
#
# ![Training and evaluation differ by two switches](img/train_eval.svg)
#
# How many of the pictures does the model get right? Before you ask it, flip two switches: the model
# into evaluation mode, so that dropout and batch norm behave as they will in use, and gradients off,
# so that no graph is built for nothing.
#
# The answer is a fraction: all correct predictions of all batches over all samples of all batches.
# The mean of the batches' accuracies is another number whenever the last batch is smaller. The prediction
# is the class with the largest logit. A softmax would change nothing: it keeps their order.

# %%
def evaluate(model, dataloader):
    """Task 3. The accuracy of `model` on `dataloader`, a float in [0, 1].

    model(images) gives logits (B, C); dataloader yields (images, labels), labels int64 (B,).
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 4 · The confusion matrix
#
# One number hides a lot. A confusion matrix shows *which* classes are mistaken for which: the entry
# in row `t` and column `p` counts the samples whose true class is `t` and whose predicted class is `p`.
# The diagonal holds what went right.
#
# | | predicted 0 | predicted 1 | predicted 2 |
# |---|---|---|---|
# | **true 0** | 8 | 1 | 0 |
# | **true 1** | 0 | 9 | 0 |
# | **true 2** | 2 | 0 | 7 |
#
# Here two samples of class 2 were taken for a 0.
#
# <details><summary>Hint: counting without a loop over samples</summary>
#
# `torch.bincount(true * n_classes + predicted, minlength=n_classes ** 2)` counts every pair at once;
# reshape what it returns. A plain loop that adds 1 at `matrix[t, p]` is fine too.
#
# </details>

# %%
def confusion_matrix(model, dataloader, n_classes):
    """Task 4. Count every (true class, predicted class) pair.

    model(images) gives logits (B, n_classes); dataloader as above.
    Returns an int64 tensor (n_classes, n_classes): rows are true, columns predicted classes.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · Accuracy per class
#
# From the matrix alone: of all samples that truly belong to a class, which fraction was recognised?
# A class that never occurs has no such fraction, and "not a number" is the honest answer, rather than
# 0, which would claim that all of its samples were wrong.

# %%
def per_class_accuracy(matrix):
    """Task 5. The fraction of each true class that was predicted right.

    matrix: (n_classes, n_classes) int64, rows true, columns predicted.
    Returns a float tensor (n_classes,), nan where a class has no sample.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 6 · Fit, and look at it
#
# `fit` alternates your two functions: each epoch trains on `train_loader` and then evaluates on
# `val_loader`. It returns the history, a dictionary of two lists with one float per epoch, and
# `plot_history` draws both curves. A curve shows at a glance what a final number cannot: whether
# training was still improving, had stopped, or had begun to overfit.

# %%
def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    """Task 6. Train for `epochs` epochs, evaluating on `val_loader` after each.

    Returns {"train_loss": [...], "val_accuracy": [...]}, lists of `epochs` floats.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %%
def plot_history(history):
    """Task 6. Draw the training loss and the validation accuracy over the epochs.

    history: what `fit` returns. Returns a matplotlib Figure.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 7 · Reading digits
#
# Now use it. `train_mnist` trains an `MNISTMLP` on MNIST with Adam at a learning rate of 1e-3, in
# batches of 64, for five epochs, and returns the model and its history. Seed first, so that you can
# tell a friend exactly what you got. Shuffle the training pictures; validate on the test split, in
# order.
#
# On all 60,000 pictures an epoch has 938 batches, the last of 32 pictures. A published run of this program
# had 95.39 % after the first epoch and 97.68 % after the fifth; of the zeros it read 99.3 % right, of the
# fives 95.4 %. Yours will differ in the third digit. The grader uses fewer pictures, and sets its bar at what
# a correct program reaches on those.
#
# Then look at what it gets wrong. With `model` from below, paste this into a cell of your own: the mistakes as
# a picture, and twelve of them with what they were taken for. Some of them you would not read either.
#
# ```python
# pictures = datasets.MNIST("data", train=False, transform=transforms.ToTensor())
# batches = DataLoader(pictures, batch_size=500)
# shares = confusion_matrix(model, batches, 10).float()
# shares /= shares.sum(dim=1, keepdim=True)
# plt.matshow(shares.fill_diagonal_(0).numpy())  # what went right is left out
# plt.gca().set(xlabel="predicted class", ylabel="true class")
#
# with torch.no_grad():
#     guesses = torch.cat([model(some).argmax(dim=1) for some, _ in batches]).tolist()
# wrong = [(x[0], y, g) for (x, y), g in zip(pictures, guesses) if y != g]
# figure, axes = plt.subplots(2, 6, figsize=(9, 3.5))
# for ax, (digit, label, guess) in zip(axes.flat, wrong):
#     ax.imshow(digit.numpy(), cmap="gray")
#     ax.set_title(f"a {label}, read as {guess}", fontsize=8)
#     ax.axis("off")
# plt.show()
# ```
#
# A word of warning. Here the test split only watches: nothing is chosen by it. If you picked the best
# epoch or the learning rate by its accuracy, that accuracy would be a little too good, because of several
# noisy numbers you would have kept the largest. To choose, hold back a part of the *training* pictures.
#
# <details><summary>Hint: if it does not learn</summary>
#
# Three usual suspects: the optimizer was made for another model than the one you train; the learning
# rate is ten times too large or too small; the gradients are never cleared.
#
# </details>

# %%
def train_mnist(root="data", epochs=5, seed=0):
    """Task 7. Train an MNISTMLP on MNIST: Adam, learning rate 1e-3, batches of 64.

    root: the folder of the data set (downloaded there if need be); epochs, seed: int.
    Returns (model, history).
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Experiment · task 7, Reading digits

# %%
if __name__ == "__main__":
    model, history = train_mnist()
    print("validation accuracy by epoch:", [f"{a:.4f}" for a in history["val_accuracy"]])
    plot_history(history).savefig("history.png")
