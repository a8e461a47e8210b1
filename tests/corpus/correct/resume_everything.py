"""Train two epochs, stop, resume in a new process-like state: model, optimizer, schedule and RNG come back."""
import os

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PATH = "checkpoint.pt"
data_gen = torch.Generator().manual_seed(0)
X = torch.randn(320, 6, generator=data_gen)
Y = (X[:, 0] * X[:, 1]).unsqueeze(1)


def make():
    model = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 1))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    sched = torch.optim.lr_scheduler.StepLR(opt, 1, 0.8)
    return model, opt, sched


def save(epoch, model, opt, sched):
    tmp = PATH + ".tmp"
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": opt.state_dict(),
                "scheduler": sched.state_dict(), "rng": torch.get_rng_state()}, tmp)
    os.replace(tmp, PATH)


def train(epochs):
    model, opt, sched = make()
    start = 0
    if os.path.exists(PATH):
        ck = torch.load(PATH, weights_only=True)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["optimizer"])
        sched.load_state_dict(ck["scheduler"])
        torch.set_rng_state(ck["rng"])
        start = ck["epoch"] + 1
        print("resumed at epoch", start)
    loader = DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=True)
    for epoch in range(start, epochs):
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        sched.step()
        save(epoch, model, opt, sched)
        print(epoch, total / len(X), sched.get_last_lr())


torch.manual_seed(0)
train(2)
train(4)
