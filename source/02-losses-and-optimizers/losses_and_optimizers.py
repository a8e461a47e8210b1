# %% [markdown]
# # Losses and optimizers, from scratch
#
# * **You will need** four hours; the computing takes seconds.
# * **You should know** assignment 01.
# * **Afterwards you can** say why the loss wants logits, write it so that it never overflows, and write
#   the four optimizers that train nearly everything.
#
# A training loop asks two questions, over and over: *how wrong am I?* and *how far do I move?* A loss
# answers the first and an optimizer the second. Both are a few lines of arithmetic, and you are going
# to write them.
#
# | the task | the loss |
# |---|---|
# | predict numbers | mean squared error (task 3) |
# | choose one of K classes | cross-entropy (task 2) |
# | answer K questions with yes or no | binary cross-entropy (task 4) |
#
# | the optimizer | its update, with g for the gradient |
# |---|---|
# | SGD | w ← w − lr · g |
# | SGD with momentum | v ← 0.9 · v + g, then w ← w − lr · v |
# | Adam | every weight gets a step of its own length (task 6) |
# | AdamW | Adam, and every weight shrinks a little (task 7) |
#
# ![Minus the logarithm of p falls from 4.6 at p = 0.01 through 0.69 at p = 0.5 to 0.01 at p = 0.99](img/minus_log.svg)
#
# This curve is the heart of the first half: the loss of a prediction that gave the true class the
# probability p. To be unsure costs a little. **To be sure and wrong is what costs.**
#
# **The rule of the house.** In tasks 1 to 4 the ready-made softmax, log-softmax, logsumexp, softplus,
# logsigmoid and loss functions *are* the task, so your functions do without them. Every other operation
# is allowed: `exp`, `log`, `max`, `sum`, `where`, indexing and arithmetic are enough, and `abs`, `clamp`,
# `log1p`, `gather` or `sigmoid` are fine too. Tasks 5 to 7 do not hand their work to the SGD, Adam or
# AdamW of `torch.optim`; to subclass `torch.optim.Optimizer` and write the step yourself is fine. The
# grader sees which operations run while it calls your functions; what you compare them with outside of
# them is your business, and a good idea.
#
# As in assignment 01: names and arguments are fixed, the inside is yours, and what you are given stays
# as it was (an optimizer, of course, changes its parameters).

# %%
import matplotlib.pyplot as plt
import torch

# %% [markdown]
# ## Task 1 · Log-softmax
#
# A network ends in K numbers per sample, the **logits**. Softmax turns them into probabilities:
# exp(z), divided by the sum of all exp(z) of that row. What a loss needs are the *logarithms* of
# these probabilities, and whoever computes one after the other is in for a surprise:
# exp(100) is more than float32 can hold. The answer becomes `inf / inf`, which is nan. At the other
# end exp(−200) is 0 in float32, and its logarithm −inf. And yet the true answers are harmless numbers.
#
# So do it in one: the logarithm of softmax is z − log(sum of exp(z)). One more idea, and this never
# overflows. The tests go up to logits of ±10,000.
#
# <details><summary>Hint: what changes nothing</summary>
#
# If you add one number to all logits of a row, no probability changes: numerator and denominator grow
# by the same factor. Which number is convenient? Each row has its own.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task1-log-softmax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_softmax(logits):
    """Task 1. The logarithms of the probabilities that softmax gives.

    logits: (B, C) float, a row per sample. Returns (B, C) of the same dtype: each row is the
    log-softmax over its classes, finite for logits up to ±1e4. Gradients pass through it; they are
    tested for logits of a few units.
    """
    ### BEGIN SOLUTION
    shifted = logits - logits.max(dim=1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task1-log-softmax-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 1: logits 2, 1, 0.1 are the probabilities 0.659, 0.242, 0.099
import torch

logs = torch.as_tensor(log_softmax(torch.tensor([[2.0, 1.0, 0.1]])))
assert logs.shape == (1, 3), f"one row of three classes stays (1, 3), yours has {tuple(logs.shape)}"
got = [round(float(p), 3) for p in logs[0].exp()]
close = all(abs(g - w) < 0.0015 for g, w in zip(got, (0.659, 0.242, 0.099)))
assert close, f"the probabilities should be 0.659, 0.242, 0.099, got {got}"

# %% nbgrader={"grade": true, "grade_id": "task1-log-softmax-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("log_softmax_values", "log_softmax_stable")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2 · Cross-entropy
#
# For each sample take the log-probability of its *true* class, change the sign, and average over the
# batch. That is all. The logits go in raw: the softmax is inside.
#
# Two rows to check yourself by: logits (2, 1, 0.1) with class 0 and (0.5, 2.5, 0.3) with class 1 have
# the loss 0.3185; the first of them alone has 0.4170, which is −log 0.659.
#
# A loss that computes *something* from arguments that make no sense hides bugs for weeks. So refuse,
# with a `ValueError`, logits that are not a table, targets that are not one number for each row, and
# targets in a float dtype. (A class that does not exist, such as −1, and other dtypes than int64 you may
# refuse or not; the tests do not ask.)
#
# To move the three logits yourself: [probability against loss](explore/probability.html).
#
# <details><summary>Hint: one entry of each row</summary>
#
# `table[rows, columns]` with two tensors of indices takes one entry for each pair of them. The rows
# here are 0, 1, …, B − 1.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task2-cross-entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(logits, targets):
    """Task 2. The mean over the batch of −log(probability of the true class).

    logits: (B, C) float, raw; targets: (B,) int64, the true classes. Returns a scalar tensor
    that gradients pass through. Raises ValueError where logits are not 2-D, targets are not (B,)
    or targets are floats.
    """
    ### BEGIN SOLUTION
    if logits.ndim != 2 or targets.shape != logits.shape[:1]:
        raise ValueError(f"expected (B, C) and (B,), got {logits.shape} and {targets.shape}")
    if targets.is_floating_point():
        raise ValueError("targets are classes, so they are whole numbers")
    return -log_softmax(logits)[torch.arange(len(targets)), targets].mean()
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task2-cross-entropy-public", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Task 2: the two rows from above, and the first one alone
import torch

rows = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
both = float(cross_entropy(rows, torch.tensor([0, 1])))
assert abs(both - 0.3185) < 1e-4, f"the two rows have the loss 0.3185, not {both:.4f}"
first = float(cross_entropy(rows[:1], torch.tensor([0])))
assert abs(first - 0.4170) < 1e-4, f"the first row alone has the loss 0.4170, not {first:.4f}"

# %% nbgrader={"grade": true, "grade_id": "task2-cross-entropy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("cross_entropy_values", "cross_entropy_stable", "cross_entropy_refuses")
### END HIDDEN TESTS

# %% [markdown]
# **Predict.** A network with ten classes that has learned nothing: all its logits are 0. What is its loss?

# %%
my_guess_2 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_2)
    print(f"ten classes, all logits 0: {float(cross_entropy(torch.zeros(4, 10), torch.arange(4))):.4f}")

    # the curve at the top, computed by your own function: two classes, the true one has p
    marked = torch.tensor([0.99, 0.9, 0.659, 0.5, 0.1, 0.01])
    costs = [float(cross_entropy(torch.stack([p, 1 - p]).log()[None], torch.tensor([0]))) for p in marked]
    for p, cost in zip(marked, costs):
        print(f"the true class had p = {float(p):5.3f}: loss {cost:.4f}")
    grid = torch.linspace(0.005, 0.995, 100)
    figure, ax = plt.subplots(figsize=(6, 3))
    ax.plot(grid, -grid.log(), color="lightgrey")
    ax.plot(marked, costs, "o")
    ax.set(xlabel="probability of the true class", ylabel="loss")
    plt.show()

# %% [markdown]
# ln 10 = 2.3026. You will see this number all course long. A loss that *starts* there is healthy: nothing
# is known yet, and ten classes are equally likely. A loss that *stays* there has learned nothing.

# %% [markdown]
# ## Task 3 · Mean squared error
#
# The mean of (prediction − target)² over all entries. Nothing can go wrong here, and so it goes wrong
# often: predictions of shape (N, 1) and targets of shape (N,) broadcast to a table of N × N
# differences, each prediction against each target. The mean of that table is a perfectly good number,
# and a network that makes it small predicts the same for everybody.
#
# So `mse` refuses, with a `ValueError`, whatever does not have one and the same shape.

# %% nbgrader={"grade": false, "grade_id": "task3-mse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mse(pred, target):
    """Task 3. The mean of the squared differences.

    pred, target: float tensors of one and the same shape, any number of dimensions. Returns a
    scalar tensor that gradients pass through. Raises ValueError where the shapes differ, (N, 1)
    against (N,) included.
    """
    ### BEGIN SOLUTION
    if pred.shape != target.shape:
        raise ValueError(f"pred has the shape {pred.shape}, target {target.shape}")
    return (pred - target).square().mean()
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task3-mse-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 3: three predictions and three targets
import torch

got = float(mse(torch.tensor([2.5, 3.1, 4.0]), torch.tensor([3.0, 3.0, 4.0])))
assert abs(got - 0.0867) < 1e-4, f"(0.25 + 0.01 + 0) / 3 is 0.0867, not {got:.4f}"

# %% nbgrader={"grade": true, "grade_id": "task3-mse-hidden", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("mse_values", "mse_refuses")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4 · Yes or no
#
# K questions about each sample, each answered by one logit z; sigmoid(z) = 1 / (1 + exp(−z)) is the
# probability of *yes*. With the target t (1 for yes, 0 for no, or a number between them) the loss of
# one answer is
#
# −t · log(sigmoid(z)) − (1 − t) · log(1 − sigmoid(z))
#
# and the mean is taken over all answers of all samples. Computed as it stands this fails like softmax
# does: for z = 200 the sigmoid is 1 to the last digit, and log(1 − 1) is −inf. Multiply it out, and
# what is left is log(1 + exp(z)) − t · z. One of the two terms can still overflow.
#
# <details><summary>Hint: the same curve, written safely</summary>
#
# log(1 + eᶻ) = max(z, 0) + log(1 + e^(−|z|)). Draw both sides, or try z = 3 and z = −3 on paper. Which
# numbers does the exponential meet on the right?
#
# </details>
#
# <details><summary>Hint: the slope at exactly 0</summary>
#
# The curve is smooth at z = 0, where its slope is ½ − t, and the right side has a bend there in each of its two
# parts. `torch.maximum(z, zeros)` and (z + |z|) / 2 come out at ½ − t; `clamp`, `relu` and `where` come out
# at 1 − t or −t. Logits that are all 0 are a usual first batch. (The tests ask for no gradient there.)
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task4-bce", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bce_with_logits(logits, targets):
    """Task 4. Binary cross-entropy of raw logits, the mean over all entries.

    logits, targets: float tensors of one and the same shape; targets in [0, 1]. Returns a scalar
    tensor that gradients pass through, finite for logits up to ±1e4. Raises ValueError where
    the shapes differ.
    """
    ### BEGIN SOLUTION
    if logits.shape != targets.shape:
        raise ValueError(f"logits have the shape {logits.shape}, targets {targets.shape}")
    positive = torch.maximum(logits, torch.zeros_like(logits))
    return (positive + (1 + (-logits.abs()).exp()).log() - targets * logits).mean()
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task4-bce-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 4: three answers: yes at 2, no at −1, and yes with no opinion
import torch

got = float(bce_with_logits(torch.tensor([2.0, -1.0, 0.0]), torch.tensor([1.0, 0.0, 1.0])))
assert abs(got - 0.3778) < 1e-4, f"the loss of the three answers is 0.3778, not {got:.4f}"

# %% nbgrader={"grade": true, "grade_id": "task4-bce-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("bce_values", "bce_stable", "bce_refuses")
### END HIDDEN TESTS

# %% [markdown]
# How good are they? Compare them with PyTorch's own, on numbers that are not friendly:

# %%
if __name__ == "__main__":
    theirs = torch.nn.functional
    torch.manual_seed(0)
    wild = 300 * torch.randn(64, 10, dtype=torch.float64)
    classes, answers = torch.randint(10, (64,)), torch.rand(64, 10, dtype=torch.float64)
    pairs = {
        "log_softmax": (log_softmax(wild), theirs.log_softmax(wild, dim=1)),
        "cross_entropy": (cross_entropy(wild, classes), theirs.cross_entropy(wild, classes)),
        "mse": (mse(wild, answers), theirs.mse_loss(wild, answers)),
        "bce_with_logits": (
            bce_with_logits(wild, answers),
            theirs.binary_cross_entropy_with_logits(wild, answers),
        ),
    }
    for name, (mine, reference) in pairs.items():
        print(f"{name:16s} largest difference {float((mine - reference).abs().max()):.1e}")

# %% [markdown]
# ## Task 5 · SGD
#
# From how wrong to how far. The optimizer is given the parameters once, when it is made. From then on
# `step()` reads each parameter's `.grad` and moves the parameter, and `zero_grad()` empties the
# buckets. For each parameter w:
#
# * g = gradient + `weight_decay` · w
# * v ← `momentum` · v + g, where v is the parameter's own memory; before the first step it is 0
# * w ← w − lr · v
#
# Three details make the difference between an optimizer and something that looks like one. It changes
# the *given* tensors, in place: the network holds the same objects, and would never hear of new ones.
# `params` may be a generator, like `model.parameters()`, which can be walked through only once. And a
# parameter whose `.grad` is None has nothing to follow, so it stays where it is. (Whether `step()` leaves
# `.grad` as it was is not tested; PyTorch's does.)
#
# On (w − 1)² from w = 2 with lr 0.1 it goes 1.8000, 1.6400, 1.5120, 1.4096, 1.3277, 1.2621, as you know
# from assignment 01; with momentum 0.9 it goes 1.8000, 1.4600, 1.0620, 0.6914, 0.4196, 0.2910. It gathers
# speed, and rolls past the minimum.
#
# <details><summary>Hint: a step that moves nothing</summary>
#
# `for p in self.params: p = p - lr * p.grad` gives the *name* p to a new tensor; the old one stays as it
# is. In-place operations on a parameter, such as `p -= …` or `p.sub_(…)`, need `torch.no_grad()`. `p.data = …`
# keeps the tensor object and gives it new numbers; it is accepted as well.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task5-sgd", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SGD:
    """Task 5. Gradient descent with momentum and weight decay."""

    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        """params: any iterable of leaf tensors, a generator too; the rest: floats."""
        ### BEGIN SOLUTION
        self.params = list(params)
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocities = [torch.zeros_like(p).detach() for p in self.params]
        ### END SOLUTION

    def step(self):
        """Move every parameter that has a gradient, in place."""
        ### BEGIN SOLUTION
        with torch.no_grad():
            for p, v in zip(self.params, self.velocities):
                if p.grad is None:
                    continue
                v.mul_(self.momentum).add_(p.grad + self.weight_decay * p)
                p.sub_(self.lr * v)
        ### END SOLUTION

    def zero_grad(self):
        """Afterwards the `.grad` of every parameter is None or zero."""
        ### BEGIN SOLUTION
        for p in self.params:
            p.grad = None
        ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task5-sgd-public", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Task 5: six steps on (w − 1)² from 2, without momentum and with it
import torch

paths = {
    0.0: [1.8, 1.64, 1.512, 1.4096, 1.3277, 1.2621],
    0.9: [1.8, 1.46, 1.062, 0.6914, 0.4196, 0.2910],
}
for momentum, want in paths.items():
    w = torch.tensor(2.0, requires_grad=True)
    sgd = SGD([w], lr=0.1, momentum=momentum)
    got = []
    for _ in range(6):
        sgd.zero_grad()
        ((w - 1) ** 2).backward()
        sgd.step()
        got.append(round(w.item(), 4))
    close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
    assert close, f"momentum {momentum}: expected {want}, got {got}"

# %% nbgrader={"grade": true, "grade_id": "task5-sgd-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("sgd_plain", "sgd_momentum", "sgd_decay", "sgd_params")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6 · Adam
#
# SGD uses one rate for all weights, though one weight's gradients may be a thousand times as large as
# another's. Adam keeps two moving means for each weight: m of its gradients, v of their squares.
#
# * m ← β₁ · m + (1 − β₁) · g, and v ← β₂ · v + (1 − β₂) · g², both from 0
# * m̂ = m / (1 − β₁ᵗ), and v̂ = v / (1 − β₂ᵗ), where t counts the calls of `step()`, from 1
# * w ← w − lr · m̂ / (√v̂ + eps)
#
# The middle line corrects for the start: means that begin at 0 are much too small at first, and v,
# whose β is larger, is too small for longer. Without the correction the first step would be 3.16 times as
# long as it should be. With it, the first step of every weight has the length lr, whether its gradient
# is a thousand or a millionth; only where the gradient is 0, or not much larger than eps, is it shorter.
#
# On (w − 1)² from 2 with lr 0.1: 1.9000, 1.8004, 1.7016, 1.6039, 1.5080, 1.4142.
#
# <details><summary>Hint: one clock</summary>
#
# t is the same for all parameters of a step. If one counter ticks once for each *parameter*, the first of
# them is right and the others live in the future. (PyTorch's own Adam has a counter for each parameter, of
# the steps in which it had a gradient. Where no gradient is None this comes to the same. Either is fine.)
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task6-adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adam:
    """Task 6. Adam, with bias correction."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        """params: any iterable of leaf tensors; lr, eps: floats; betas: (β₁, β₂)."""
        ### BEGIN SOLUTION
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.means = [torch.zeros_like(p).detach() for p in self.params]
        self.squares = [torch.zeros_like(p).detach() for p in self.params]
        self.t = 0
        ### END SOLUTION

    def step(self):
        """Move every parameter that has a gradient, in place."""
        ### BEGIN SOLUTION
        self.t += 1
        beta1, beta2 = self.betas
        with torch.no_grad():
            for p, m, v in zip(self.params, self.means, self.squares):
                if p.grad is None:
                    continue
                m.mul_(beta1).add_((1 - beta1) * p.grad)
                v.mul_(beta2).add_((1 - beta2) * p.grad**2)
                m_hat = m / (1 - beta1**self.t)
                v_hat = v / (1 - beta2**self.t)
                p.sub_(self.lr * m_hat / (v_hat.sqrt() + self.eps))
        ### END SOLUTION

    def zero_grad(self):
        """Afterwards the `.grad` of every parameter is None or zero."""
        ### BEGIN SOLUTION
        for p in self.params:
            p.grad = None
        ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task6-adam-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 6: six steps on (w − 1)² from 2
import torch

w = torch.tensor(2.0, requires_grad=True)
adam = Adam([w], lr=0.1)
got, want = [], [1.9, 1.8004, 1.7016, 1.6039, 1.5080, 1.4142]
for _ in range(6):
    adam.zero_grad()
    ((w - 1) ** 2).backward()
    adam.step()
    got.append(round(w.item(), 4))
close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
assert close, f"expected {want}, got {got}"

# %% nbgrader={"grade": true, "grade_id": "task6-adam-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("adam_values", "adam_scale")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 7 · AdamW
#
# Weight decay pulls every weight a little towards zero. In plain SGD it does not matter whether the pull
# is added to the gradient or done apart: the step comes out the same. With momentum it does matter, since
# what is added to the gradient goes through v (as it should in your `SGD`). In Adam it goes through m and v,
# and is divided by √v̂ with the rest, so that weights with large gradients are hardly pulled at all. AdamW
# pulls *beside* Adam, every weight that has a gradient by the same share:
#
# w ← w − lr · λ · w, with λ = `weight_decay`, and then Adam's step.
#
# On (w − 1)² from 2 with lr 0.1 and λ = 0.01: 1.8980, 1.7965, 1.6959, 1.5967, 1.4992, 1.4042.

# %% nbgrader={"grade": false, "grade_id": "task7-adamw", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AdamW(Adam):
    """Task 7. Adam with decoupled weight decay.

    It may inherit from your `Adam`, as here, or stand alone; then it has a `zero_grad` of its own.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        """params, lr, betas, eps: as for Adam; weight_decay: float, λ."""
        ### BEGIN SOLUTION
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay
        ### END SOLUTION

    def step(self):
        """Shrink and move every parameter that has a gradient, in place."""
        ### BEGIN SOLUTION
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p.mul_(1 - self.lr * self.weight_decay)
        super().step()
        ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task7-adamw-public", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
# Task 7: six steps on (w − 1)² from 2
import torch

w = torch.tensor(2.0, requires_grad=True)
adamw = AdamW([w], lr=0.1)
got, want = [], [1.8980, 1.7965, 1.6959, 1.5967, 1.4992, 1.4042]
for _ in range(6):
    adamw.zero_grad()
    ((w - 1) ** 2).backward()
    adamw.step()
    got.append(round(w.item(), 4))
close = all(abs(g - t) < 2e-4 for g, t in zip(got, want))
assert close, f"expected {want}, got {got}"

# %% nbgrader={"grade": true, "grade_id": "task7-adamw-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("adamw_values")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 8 · Where they walk
#
# ![Contour lines of a long valley. SGD jumps from wall to wall, momentum swings through, Adam goes round in a curve](img/valley.svg)
#
# To see what an optimizer does, keep every place it has been. `trajectory` repeats *zero, loss, backward,
# step* (what other assignments call the forward pass is in the loss here), and notes all parameters,
# flattened into one row, at the start and after each step.
#
# To change the rates: [three ways through a valley](explore/valley.html).
#
# <details><summary>Hint: all rows are equal?</summary>
#
# `detach()`, `flatten()` and `view()` give new names to the same numbers, and these go on moving. A row
# must be a copy.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task8-trajectory", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trajectory(optimizer, params, loss, steps):
    """Task 8. Every place that an optimizer visits.

    optimizer: one with `step()` and `zero_grad()`, over `params`; params: a list of leaf
    tensors; loss: a function without arguments that returns the loss, a scalar tensor, at the
    present values of `params`; steps: int.

    Returns a tensor (steps + 1, entries of all params): row 0 is the start, row k the place
    after step k, the parameters one behind the other, flattened.
    """
    ### BEGIN SOLUTION
    rows = [torch.cat([p.detach().flatten() for p in params])]
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        rows.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(rows)
    ### END SOLUTION


# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task8-trajectory-public", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Task 8: two parameters, three steps of PyTorch's own SGD (a warm-up: no points)
import torch

a, b = torch.ones(2, requires_grad=True), torch.tensor(4.0, requires_grad=True)
places = trajectory(torch.optim.SGD([a, b], lr=0.25), [a, b], lambda: (a**2).sum() + b**2, 3)
assert places.shape == (4, 3), f"a start and three steps of 3 numbers: (4, 3), not {tuple(places.shape)}"
for row, want in zip(places.tolist(), (1.0, 0.5, 0.25, 0.125)):
    assert row == [want, want, 4 * want], f"expected {[want, want, 4 * want]}, got {row}"

# %% nbgrader={"grade": true, "grade_id": "task8-trajectory-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("trajectory_values")
### END HIDDEN TESTS

# %% [markdown]
# Now send your own optimizers into a valley, f = ½ · (x² + 25 · y²): steep to the sides, flat along the
# floor. They start at (−4, 2) and walk 40 steps. SGD at 0.07 crosses the floor at every single step,
# with momentum it does so 19 times, Adam at 0.3 three times; they end 0.22, 0.30 and 0.10 from the
# minimum. Start somewhere else. Then try SGD at 0.081, and explain to yourself what you see.

# %%
if __name__ == "__main__":
    walkers = {
        "SGD 0.07": lambda p: SGD([p], lr=0.07),
        "SGD 0.07, momentum 0.9": lambda p: SGD([p], lr=0.07, momentum=0.9),
        "Adam 0.3": lambda p: Adam([p], lr=0.3),
    }
    xs, ys = torch.meshgrid(torch.linspace(-4.5, 2.5, 80), torch.linspace(-2.2, 2.2, 80), indexing="xy")
    figure, axes = plt.subplots(1, 3, figsize=(12, 3), sharey=True)
    for ax, (name, make) in zip(axes, walkers.items()):
        place = torch.tensor([-4.0, 2.0], requires_grad=True)
        path = trajectory(make(place), [place], lambda: (place[0] ** 2 + 25 * place[1] ** 2) / 2, 40)
        crossed = int((path[1:, 1] * path[:-1, 1] < 0).sum())
        print(f"{name:24s} crosses {crossed:2d} times, ends {float(path[-1].norm()):.2f} away")
        ax.contour(xs, ys, (xs**2 + 25 * ys**2) / 2, levels=12, colors="lightgrey")
        ax.plot(path[:, 0], path[:, 1], marker=".")
        ax.set(title=name)
    plt.show()

# %% [markdown]
# **Predict.** You double the batch size and change nothing else, and take the mean of the gradients of all
# batches. For which of your losses does it get longer?

# %%
my_guess_8 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_8)
    torch.manual_seed(0)
    inputs, weights = torch.randn(512, 5), torch.randn(5, 3, requires_grad=True)
    classes, numbers, answers = torch.randint(3, (512,)), torch.randn(512, 3), torch.rand(512, 3)
    losses = {
        "cross_entropy": (cross_entropy, classes),
        "mse": (mse, numbers),
        "bce_with_logits": (bce_with_logits, answers),
    }
    for name, (loss, targets) in losses.items():
        for size in (32, 64):
            gradients = []
            for batch in torch.arange(512).split(size):
                weights.grad = None
                loss(inputs[batch] @ weights, targets[batch]).backward()
                gradients.append(weights.grad.flatten())
            mean = torch.stack(gradients).mean(dim=0)
            noise = (torch.stack(gradients) - mean).norm(dim=1).mean()
            print(f"{name:16s} {size}: mean {mean.norm():.4f}, one batch is off by {noise:.4f}")

# %% [markdown]
# For none of them. They are means over the batch, so their mean over all batches is the same; what gets
# smaller is the noise, by which the gradient of a single batch is off. If they were sums, doubling the
# batch would double the step, and the learning rate would mean something else for every batch size.
#
# Two remarks for your own projects. If you do not know which rate to begin with, Adam or AdamW at 3e-4 is a
# good first guess. And you may meet RMSprop, which is what is left of Adam without m and without the
# correction: a rate for every weight, and no memory of the direction.
