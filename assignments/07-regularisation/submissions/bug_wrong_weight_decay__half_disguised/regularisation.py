import torch, torchvision
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

class Dropout(nn.Module):
    def __init__(self, p=.5):
        super().__init__()
        if not 0 <= p < 1: raise ValueError(p)
        self.keep = 1 - p

    def forward(self, x):
        return x * torch.bernoulli(torch.full_like(x, self.keep)).div(self.keep) if self.training else x

l2_penalty = lambda model, lam: lam * torch.cat([w.flatten() for w in model.parameters()]).pow(2).div(2).sum()

class EarlyStopping:
    def __init__(self, patience, min_delta=0.):
        self.patience, self.min_delta, self.best, self.best_step, self.n = patience, min_delta, float("inf"), None, 0

    def step(self, v):
        if self.best - v > self.min_delta: self.best, self.best_step = v, self.n
        self.n += 1
        return self.n - 1 - (-1 if self.best_step is None else self.best_step) >= self.patience

def sweep(model, loader, loss_fn, optimizer=None):
    """Mean loss over the samples of one pass; with an optimizer it learns on the way."""
    model.train(optimizer is not None)
    losses, sizes = [], []
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in loader:
            loss = loss_fn(model(x), y)
            if optimizer: optimizer.zero_grad(); loss.backward(); optimizer.step()
            losses.append(loss.item()), sizes.append(len(y))
    return sum(a * b for a, b in zip(losses, sizes)) / sum(sizes)


def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    es, kept, h = EarlyStopping(patience), None, dict(train_loss=[], val_loss=[], best_epoch=1, stopped_early=False)
    for k in range(1, epochs + 1):
        h["train_loss"].append(sweep(model, train_loader, loss_fn, optimizer))
        h["val_loss"].append(v := sweep(model, val_loader, loss_fn))
        h["stopped_early"] = es.step(v)
        if es.best == v and es.best_step == k - 1: kept, h["best_epoch"] = [w.detach().clone() for w in model.parameters()], k
        if h["stopped_early"]: break
    with torch.no_grad(): [w.copy_(b) for w, b in zip(model.parameters(), kept or [])]
    return h

make_mlp = lambda p: nn.Sequential(nn.Flatten(), *[m for a, b in ((784, 128), (128, 64)) for m in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(p))], nn.Linear(64, 10))


def with_and_without(root, p=.2, epochs=10, seed=0):
    mnist = torchvision.datasets.MNIST(root, transform=torchvision.transforms.ToTensor(), download=True)
    train, val = torch.utils.data.random_split(mnist, (5 / 6, 1 / 6), torch.Generator().manual_seed(seed))
    loader = lambda part, **more: torch.utils.data.DataLoader(part, 64, **more)

    def one(rate):
        torch.manual_seed(seed)
        net = make_mlp(rate)
        return fit_with_validation(net, loader(train, shuffle=True), loader(val), F.cross_entropy, torch.optim.Adam(net.parameters()), epochs, epochs)
    return {"plain": one(0), "dropout": one(p)}

def plot_curves(histories):
    fig = Figure()
    axes = fig.subplots(len(histories), sharey=True, squeeze=False).flat
    for ax, (name, h) in zip(axes, histories.items()):
        for key, label in (("val_loss", "val"), ("train_loss", "train")): ax.plot(range(1, 1 + len(h[key])), h[key], "o-", label=label)
        ax.vlines(h["best_epoch"], 0, max(h["val_loss"]), linestyles="dotted")
        ax.set(title=name, xlabel="epoch"), ax.legend()
    return fig
