# %% [markdown]
# # The debugging clinic
#
# * **You will need** four hours; the computing takes two minutes, and the first run downloads MNIST into
#   the folder `data`.
# * **You should know** assignments 04 and 08.
# * **Afterwards you can** go from a symptom to two or three suspects, test them, and name the cause.
#
# Welcome to the ward. Eight patients are waiting, one for each of the classic ways in which a training
# loop goes wrong. For every one of them there is **exactly one diagnosis** (patient 8 has to be mended in
# two places for it). They run, mostly. They just do not learn, or learn the wrong thing, or run out of
# memory on Thursday.
#
# Their code is in `patients.py`, beside this handout, and each has a chart: what it printed, and its loss
# curve, from a real run. For each patient you write a cured copy, under the same name, into this file,
# and at the end you sign eight diagnoses. Of the 2 points for a patient the cure is worth 1.5 and the
# diagnosis 0.5.
#
# | the name | what it says |
# |---|---|
# | `missing_zero_grad` | gradients are never cleared |
# | `zero_grad_after_backward` | they are cleared before the step can use them |
# | `step_before_backward` | the step comes before this batch's gradients |
# | `missing_step` | no step is taken |
# | `wrong_loss` | the loss does not fit the task |
# | `softmax_before_cross_entropy` | the loss is given probabilities |
# | `wrong_device` | not everything is moved to the device |
# | `missing_train_mode` | it trains in evaluation mode |
# | `missing_eval_mode` | it is measured in training mode |
# | `lr_too_high` | the steps are too long |
# | `lr_too_low` | the steps are too short |
# | `missing_no_grad` | an evaluation records graphs, though nobody goes backward |
# | `loss_graph_accumulated` | training keeps its losses, each with its graph |
# | `wrong_shape` | the shapes do not fit |
# | `train_not_shuffled` | every epoch has the same order |
# | `stale_optimizer` | the optimizer holds another network's parameters |
#
# Sixteen names for eight patients: nothing can be found by elimination.
#
# ## Symptoms lie
#
# Books have a table: this bug, that curve. Here is what we measured, each time the same network
# (784-128-64-10), SGD, and the same 120 batches of 64 digits:
#
# | run | loss at batch 1, 25, 49, 73, 97, 109 | accuracy |
# |---|---|---|
# | healthy, rate 0.1 | 2.31 2.20 1.99 1.25 0.77 1.01 | 79 % |
# | never cleared, 0.1 | 2.31 1.90 **0.83** 1.08 1.58 2.64 | 26 % |
# | never cleared, 0.02 | 2.31 2.09 1.05 0.63 0.32 0.95 | **81 %** |
# | rate 10 | 2.31, then 3697 at batch 13, then about 2.3 to 2.7 | 9 % |
# | rate 3 | 2.31 2.27 2.32 2.32 2.31 2.35 | 10 % |
# | rate 0.00001 | 2.31 2.30 2.31 2.32 2.31 2.31 | 10 % |
# | cleared between backward and step | the same as the line above | 10 % |
#
# Read it twice. "Never cleared" is *ahead* of the healthy run for a while, and with a small rate it even
# wins. A rate that is much too high need not explode. And "rate 3", "rate 0.00001" and "cleared between
# backward and step" have one and the same curve and are three different diseases. A symptom is not a diagnosis. Before you name it, look at a second
# number: the norm of the gradients, or how far the weights moved.
#
# ## The method
#
# 1. Read the chart.
# 2. Write down *two* suspects.
# 3. Print one number that tells them apart.
# 4. Change one thing.
# 5. Run again.
#
# To see a patient at work, write a few lines that train it: `mystery.py` has `network(seed)` and
# `batches(seed, count)`. If you have the course's package you can ask for a second opinion on such a script:
# `autograder watch my_script.py` runs it and says what it saw.

# %%
import torch
from torch import nn

# %% [markdown]
# ## Task 1 · Patient 1
#
# ![Chart of patient 1: the loss falls, comes back, and ends above where it began](img/chart_1.svg)
#
# It began so well.
#
# <details><summary>Hint: a number to print</summary>
#
# The norm of one weight's `.grad`, right before the backward pass. What should be there?
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Say the five beats aloud while you point at the lines.
#
# </details>

# %%
def epoch_1(model, loader, loss_fn, optimizer):
    """Task 1. Train `model` for one pass over `loader`; returns the mean loss over samples, a float.

    loader yields (images, labels), labels int64 (B,); loss_fn(logits, labels) is a scalar tensor,
    the mean over the batch.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 2 · Patient 2
#
# ![Chart of patient 2: a loss that starts at 26 and settles near 5](img/chart_2.svg)
#
# The loss falls by four fifths, and of ten digits one or two are read right. Guessing does nearly as well.
#
# <details><summary>Hint: a number to think of</summary>
#
# For which ten numbers is this loss smallest, if the label is 7? Which class would you read from them?
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Is a 7 nearer to an 8 than to a 1? The digit is, and the class is not.
#
# </details>

# %%
def loss_2(logits, labels):
    """Task 2. A loss for choosing one of C classes.

    logits: (B, C) float, raw; labels: (B,) int64. Returns a scalar tensor, the mean over the batch;
    a network that is trained with it learns to give the true class its largest logit.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 3 · Patient 3
#
# ![Chart of patient 3: a healthy curve on the laptop, and an error on the server at the first batch](img/chart_3.svg)
#
# "It works on my machine."
#
# <details><summary>Hint: a number to print</summary>
#
# Not a number, a name: the `.device` of everything that meets in the loss.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Three things take part in a step: the model, the images, and one more. The caller has moved the model.
#
# </details>

# %%
def epoch_3(model, loader, loss_fn, optimizer, device):
    """Task 3. As `epoch_1`, on `device`, where `model` is already; the loader's batches are not.

    Returns the mean loss over samples, a float.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 4 · Patient 4
#
# ![Chart of patient 4: the training loss drops at once when the second epoch begins](img/chart_4.svg)
#
# This network has dropout after both hidden layers. From the second epoch on its training loss is
# wonderful.
#
# <details><summary>Hint: a number to print</summary>
#
# `model.training`, inside the loop over the training batches, once per epoch.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# A switch that is flipped stays flipped. Who flips it back, and when?
#
# </details>

# %%
def fit_4(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    """Task 4. Train for `epochs` epochs, and measure the accuracy on `val_loader` after each.

    Returns the accuracies, a list of `epochs` floats in [0, 1]. In which mode the model is left is
    up to you. It may call your `epoch_1`, but not `evaluate_7`, which a notebook defines only later.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · Patient 5
#
# ![Chart of patient 5: one enormous spike, then a flat line at 2.3 to 2.7](img/chart_5.svg)
#
# Cardiac arrest within the first batches.
#
# <details><summary>Hint: a number to print</summary>
#
# For one weight matrix: the norm of its change in a step, over its own norm. A thousandth is usual.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Change one thing by a factor of ten, and another factor of ten. Do not stop where the curve looks calm:
# look at the table above once more.
#
# </details>

# %%
def optimizer_5(model):
    """Task 5. An optimizer for the parameters of `model`, a network of linear layers and ReLUs
    with PyTorch's own first weights, that learns: after 60 batches of 64 the loss of unseen
    samples has fallen by a fiftieth or more of what plain SGD at 0.1 takes off it.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 6 · Patient 6
#
# ![Chart of patient 6: a flat line at 2.3](img/chart_6.svg)
#
# No pain, no spike, no progress.
#
# <details><summary>Hint: a number to print</summary>
#
# The same as for patient 5. It tells the two apart at once, and from a loop that never steps.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# The loop was checked and is healthy. What else decides how far a step goes?
#
# </details>

# %%
def optimizer_6(model):
    """Task 6. An optimizer for the parameters of `model`, as in task 5, that learns fast enough: after
    60 batches the loss of unseen samples has fallen by a fifth or more of what plain SGD at 0.1 takes
    off it.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 7 · Patient 7
#
# ![Chart of patient 7: the numbers that are kept grow with every batch of an evaluation](img/chart_7.svg)
#
# The accuracy is right to the last digit. The server was restarted twice.
#
# <details><summary>Hint: a number to print</summary>
#
# `logits.requires_grad`, in the loop.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Evaluation has two switches: the model's mode, and whether graphs are recorded. Everything that comes out
# of this model holds on to how it was made.
#
# </details>

# %%
def evaluate_7(model, loader):
    """Task 7. The accuracy of `model` on `loader`, a float in [0, 1]: all that are right over all."""
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 8 · Patient 8
#
# ![Chart of patient 8: mat1 and mat2 shapes cannot be multiplied](img/chart_8.svg)
#
# The only one who says what hurts. Half of it.
#
# <details><summary>Hint: a number to print</summary>
#
# The shape after each layer, for a batch of two images. Write down the shapes that you expect first.
#
# </details>
#
# <details><summary>Hint: where to look</summary>
#
# Two things do not fit, one before the first layer and one after it. The first dimension is the batch,
# and no cure may touch it.
#
# </details>

# %%
class Net_8(nn.Module):
    """Task 8. A network with one hidden layer and a ReLU.

    forward(images): (B, 1, 28, 28) float32 → (B, 10) raw logits.
    """

    def __init__(self):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError()

    def forward(self, images):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% [markdown]
# ## Task 9 · The run that died at step 47
#
# A real run. Its losses, from step 45 on: 1.97, 2.01, **17.4**, 405, 8.0, 5.9, 2.33, and then 2.3 to the
# end. The spike passes. The network does not come back: its ReLUs are shut for every image, nothing flows
# through them, and the loss sits at ln 10, the number of those who know nothing. Nobody was at the
# keyboard. What happened?
#
# Aeroplanes have a recorder for this. `black_box` trains, with the five beats, and notes for each step what
# you would want to know afterwards; `first_bad` reads the record and says where to look. The loss first
# looked wrong at step 47. Did the gradients go wrong there, or earlier?
#
# Once your recorder works, see a smaller run die batch by batch, with a pause button: [step
# 47](explore/step-47.html). It tells the cause, so look for it yourself first.
#
# <details><summary>Hint: one norm for all gradients</summary>
#
# Think of all gradients of all parameters as one long vector, as in assignment 08: its norm is the root
# of the sum of all squares.
#
# </details>
#
# <details><summary>Hint: why the median</summary>
#
# A single value of 400 lifts a mean, and hides itself behind it. The median of the earlier values does
# not care.
#
# </details>

# %%
def black_box(model, batches, loss_fn, optimizer):
    """Task 9. Train on every batch, and keep a record.

    batches: an iterable of (images, labels); the others as in `epoch_1`. Returns a list of one
    dict per step:
    "step": int, from 1; "loss": float; "grad_norm": float, the norm of all parameters' gradients
    together; "largest": str, the name (of `model.named_parameters()`) of the parameter whose
    gradient has the largest norm, any of them in a tie. Gradients are those that the step uses;
    parameters without one are left out. The model trains in training mode, and the optimizer
    holds all of its parameters.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %%
def first_bad(records, factor=10.0):
    """Task 9. The number of the first step whose `grad_norm` is more than `factor` times the median
    of all earlier ones; None if there is none. The first three records are never bad.

    records: what `black_box` returns, or dicts with "step" and "grad_norm" alone, a finite number. Of an even number of values the median is the mean of the two
    in the middle.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 10 · Shapes
#
# The last instrument is an X-ray: the shape behind every layer, of any network, without touching its code.
# A *forward hook* is a function that PyTorch calls whenever a module has run. Hang one on every module
# that has no children, run the network once, and take the hooks off again: who leaves them hanging
# changes the patient.
#
# To see what a batch size changes and what it does not: [shapes, layer by
# layer](explore/shapes.html).
#
# <details><summary>Hint: hanging and taking off</summary>
#
# `module.register_forward_hook(f)` returns a handle with a method `remove()`. PyTorch calls
# `f(module, inputs, output)`. `try: … finally:` takes hooks off even if the network raises.
#
# </details>

# %%
def shapes(model, x):
    """Task 10. What comes out of each module of `model`, for the input `x`.

    Returns a list of (name, shape): the class name of every module without children, and the shape
    of its output, a single tensor, as a tuple, in the order in which they run; a module that runs
    twice appears twice. Every module keeps its mode and its weights, and none of your hooks is left.
    (A batch norm in training mode may move its running means.)
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Sign the charts
#
# Set `DIAGNOSIS[n]` for each patient n, from 1 to 8, to one of the sixteen names at the top.
#
# To task 9 belong `CULPRIT_STEP`, the number of the step at which the gradients first went wrong (steps are
# counted from 1), and `CULPRIT`, what it was: "a batch", "the rate", "the beginning" or "a layer". Run the
# experiment of task 9 first. Each of the two is worth 0.25 points.

# %%
DIAGNOSIS = {1: None, 2: None, 3: None, 4: None, 5: None, 6: None, 7: None, 8: None}
CULPRIT_STEP = None
CULPRIT = None

# %% [markdown]
# ## Second-year patients
#
# No points, for those who liked it. None of these is in `patients.py`, and each of them is in somebody's
# code tonight: softmax before the cross-entropy; predictions (N, 1) minus targets (N,); best weights that are
# only another name for the last ones; gradients that are clipped before they are unscaled; a validation
# set that is augmented like the training set. Build one, look at its chart, and give it to a friend.

# %% [markdown]
# ## Experiment · task 9, The run that died at step 47

# %% [markdown]
# Now send the batches of the run that died through your recorder.
#
# <details><summary>Hint: four suspects</summary>
#
# Give the network another beginning: does the step move? Take a smaller rate: is the norm at that step
# still a hundred times the others? And what is the largest pixel of each batch?
#
# </details>

# %%
if __name__ == "__main__":
    still = nn.Linear(1, 1)  # a recorder that runs empty records nothing
    assert not black_box(still, [], nn.MSELoss(), torch.optim.SGD(still.parameters(), lr=0.1))

    import mystery

    model = mystery.network(0)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    records = black_box(model, mystery.mystery_batches(0), nn.CrossEntropyLoss(), sgd)
    print("step   loss   norm  largest")
    for record in records:
        if record["step"] <= 3 or 44 <= record["step"] <= 52 or record["step"] == 80:
            print("{step:4d} {loss:6.2f} {grad_norm:6.2f}  {largest}".format(**record))
    print("the first bad step:", first_bad(records))
