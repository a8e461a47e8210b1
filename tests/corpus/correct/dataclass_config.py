"""Everything adjustable lives in a frozen dataclass."""
from dataclasses import asdict, dataclass, field
import json
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


@dataclass(frozen=True)
class Config:
    root: str = "data"
    batch_size: int = 100
    hidden: tuple = (64, 32)
    lr: float = 2e-3
    epochs: int = 2
    seed: int = 13
    device: str = field(default_factory=lambda: "cuda" if torch.cuda.is_available() else "cpu")


def build(cfg: Config) -> nn.Module:
    sizes = (784, *cfg.hidden, 10)
    layers = [nn.Flatten()]
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


def loaders(cfg: Config):
    t = transforms.ToTensor()
    sets = [datasets.MNIST(cfg.root, train=flag, transform=t, download=True) for flag in (True, False)]
    return [DataLoader(s, cfg.batch_size, shuffle=flag) for s, flag in zip(sets, (True, False))]


def accuracy(model, loader, device):
    was = model.training
    model.eval()
    with torch.inference_mode():
        pairs = [(model(x.to(device)).argmax(1), y.to(device)) for x, y in loader]
    model.train(was)
    pred, true = map(torch.cat, zip(*pairs))
    return pred.eq(true).double().mean().item()


def main(cfg: Config) -> None:
    torch.manual_seed(cfg.seed)
    train, test = loaders(cfg)
    model = build(cfg).to(cfg.device)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        for x, y in train:
            loss = nn.functional.cross_entropy(model(x.to(cfg.device)), y.to(cfg.device))
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(json.dumps({"epoch": epoch, "loss": round(loss.item(), 4), "acc": accuracy(model, test, cfg.device)}))
    Path("config.json").write_text(json.dumps(asdict(cfg)))


main(Config())
