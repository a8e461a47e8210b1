"""Config-built classifier: `act` names a class of torch.nn."""
from dataclasses import dataclass, field

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms


@dataclass(frozen=True)
class ModelCfg:
    widths: tuple = (784, 128, 64, 10)
    act: str = "relu"
    norm: str | None = None


@dataclass(frozen=True)
class Cfg:
    model: ModelCfg = field(default_factory=ModelCfg)
    lr: float = 0.05
    epochs: int = 3
    seed: int = 0


def layer(name, *args):
    """The layer of that name, or none at all where the config leaves it out."""
    return getattr(nn, name or "Identity", nn.Identity)(*args)


class MLP(nn.Sequential):
    def __init__(self, cfg):
        layers = [nn.Flatten()]
        for i, o in zip(cfg.widths, cfg.widths[1:-1]):
            layers += [nn.Linear(i, o), layer(cfg.norm, o), layer(cfg.act)]
        layers.append(nn.Linear(cfg.widths[-2], cfg.widths[-1]))
        super().__init__(*layers)


def main(cfg):
    torch.manual_seed(cfg.seed)
    t = transforms.ToTensor()
    train = DataLoader(Subset(datasets.FashionMNIST("data", True, t, download=True), range(600)), 50, shuffle=True)
    test = DataLoader(Subset(datasets.FashionMNIST("data", False, t, download=True), range(200)), 100)
    model = MLP(cfg.model)
    opt = optim.SGD(model.parameters(), cfg.lr, momentum=0.9)
    for epoch in range(cfg.epochs):
        model.train()
        for x, y in train:
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test) / 200
        print(f"epoch {epoch} accuracy {acc:.3f}")


main(Cfg())
