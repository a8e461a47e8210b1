# BYOL-free baseline: plain CNN with build_* functions
import torch
import torch.nn as nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Subset
from torchvision import datasets, transforms


def build_dataset(split, cfg):
    ds = datasets.MNIST(cfg["root"], train=split == "train", download=True, transform=transforms.ToTensor())
    return Subset(ds, range(cfg["n"][split]))


def build_sampler(dataset, cfg):
    return BatchSampler(RandomSampler(dataset), cfg["batch"], drop_last=False)


def build_loader(split, cfg):
    dataset = build_dataset(split, cfg)
    return DataLoader(dataset, batch_sampler=build_sampler(dataset, cfg))


def build_model(cfg):
    c = cfg["width"]
    return nn.Sequential(
        nn.Conv2d(1, c, 5, 2), nn.BatchNorm2d(c), nn.ReLU(),
        nn.Conv2d(c, 2 * c, 5, 2), nn.BatchNorm2d(2 * c), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * c, 10))


def evaluate(model, loader):
    model.eval()
    hits = torch.zeros(10)
    total = torch.zeros(10)
    with torch.no_grad():
        for x, y in loader:
            ok = model(x).argmax(1) == y
            hits.index_add_(0, y, ok.float())
            total.index_add_(0, y, torch.ones_like(y, dtype=torch.float))
    return (hits.sum() / total.sum()).item(), (hits / total.clamp(min=1)).tolist()


def main(cfg):
    torch.manual_seed(cfg["seed"])
    train, test = build_loader("train", cfg), build_loader("test", cfg)
    model = build_model(cfg)
    opt = torch.optim.SGD(model.parameters(), **cfg["optim"])
    for epoch in range(cfg["epochs"]):
        model.train()
        for x, y in train:
            opt.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()
        acc, per_class = evaluate(model, test)
        print(f"{epoch}: {acc:.3f}", [round(v, 2) for v in per_class])


main({"root": "data", "n": {"train": 640, "test": 300}, "batch": 50, "width": 8, "epochs": 3, "seed": 4, "optim": {"lr": 0.05, "momentum": 0.9}})
