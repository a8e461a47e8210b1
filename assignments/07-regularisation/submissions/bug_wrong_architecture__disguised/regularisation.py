import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import datasets
import matplotlib.pyplot as plt

class Dropout(nn.Module):
    def __init__(self, p=0.5):
        nn.Module.__init__(self)
        assert_probability(p)
        self.register_buffer("rate", torch.tensor(float(p)))

    def forward(self, x):
        if self.training:
            drop = torch.empty_like(x).uniform_() < self.rate
            x = torch.where(drop, torch.zeros_like(x), x) / (1.0 - self.rate)
        return x


def assert_probability(p):
    if not (p >= 0 and p < 1):
        raise ValueError("not a probability below one: %r" % p)

def l2_penalty(model, lam):
    flat = nn.utils.parameters_to_vector(model.parameters())
    return lam * (flat @ flat)

class EarlyStopping:
    best = float("inf")
    best_step = None

    def __init__(self, patience, min_delta=0.0):
        self.rule = self.watch(patience, min_delta)
        next(self.rule)

    def watch(self, patience, min_delta):
        bad, number, stop = 0, 0, False
        while True:
            loss = yield stop
            if loss < self.best - min_delta:
                self.best, self.best_step, bad = loss, number, 0
            else:
                bad = bad + 1
            number = number + 1
            stop = bad >= patience

    def step(self, val_loss):
        return self.rule.send(val_loss)

def epochs_of(model, train_loader, val_loader, loss_fn, optimizer):
    """Endless epochs: yields the mean losses of each."""
    while True:
        sums = {"train": 0.0, "val": 0.0}
        counts = {"train": 0, "val": 0}
        for part, loader in (("train", train_loader), ("val", val_loader)):
            model.train(part == "train")
            for images, labels in loader:
                if part == "train":
                    def closure():
                        optimizer.zero_grad()
                        loss = loss_fn(model(images), labels)
                        loss.backward()
                        return loss
                    loss = optimizer.step(closure)
                else:
                    with torch.no_grad():
                        loss = loss_fn(model(images), labels)
                sums[part] += loss.detach().double() * len(labels)
                counts[part] += len(labels)
        yield float(sums["train"] / counts["train"]), float(sums["val"] / counts["val"])


def snapshot(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    stopper, best = EarlyStopping(patience), snapshot(model)
    train_loss, val_loss, stop = [], [], False
    for train, val in epochs_of(model, train_loader, val_loader, loss_fn, optimizer):
        train_loss += [train]
        val_loss += [val]
        before = stopper.best
        stop = stopper.step(val)
        if stopper.best != before:
            best = snapshot(model)
        if stop or len(val_loss) == epochs:
            break
    model.load_state_dict(best)
    return {"train_loss": train_loss, "val_loss": val_loss, "best_epoch": (stopper.best_step or 0) + 1, "stopped_early": stop}

def make_mlp(p):
    widths = (784, 128, 64, 10)
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(), Dropout(p)]
    return nn.Sequential(nn.Flatten(), *layers[:-2], Dropout(p))


def with_and_without(root, p=0.2, epochs=10, seed=0):
    mnist = datasets.MNIST(root, train=True, download=True)
    images, labels = mnist.data[:, None] / 255.0, mnist.targets
    told = {}
    for name, rate in {"plain": 0.0, "dropout": p}.items():
        torch.manual_seed(seed)
        order = torch.randperm(len(images))
        val, train = order[: len(order) // 6], order[len(order) // 6 :]
        model = make_mlp(rate)
        parts = [DataLoader(TensorDataset(images[i], labels[i]), 64, shuffle=i is train) for i in (train, val)]
        run = epochs_of(model, *parts, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3))
        losses = [next(run) for _ in range(epochs)]
        val_loss = [v for _, v in losses]
        told[name] = {
            "train_loss": [t for t, _ in losses],
            "val_loss": val_loss,
            "best_epoch": 1 + min(range(epochs), key=val_loss.__getitem__),
            "stopped_early": False,
        }
    return told

def plot_curves(histories):
    figure, axes = plt.subplots(len(histories), 1, sharey="all", sharex=True, squeeze=False)
    for (ax,), (name, h) in zip(axes, histories.items()):
        for kind in ("train_loss", "val_loss"):
            ax.plot(*zip(*enumerate(h[kind], start=1)), label=kind.replace("_", " "))
        ax.axvline(h["best_epoch"], ls=":")
        ax.legend()
        ax.set_title(name)
    return figure
