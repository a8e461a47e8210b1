"""Each epoch is saved; where it is the best so far, the file is copied to model_best."""
import shutil

import torch
from torch import nn


def save_checkpoint(state, is_best, filename="checkpoint.pth.tar"):
    torch.save(state, filename)
    if is_best:
        shutil.copyfile(filename, "model_best.pth.tar")


torch.manual_seed(1)
x, xv = torch.randn(60, 6), torch.randn(80, 6)
y, yv = (t[:, 0] + 0.6 * torch.randn(len(t)) > 0 for t in (x, xv))
y, yv = y.long(), yv.long()
model = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 2))
optimizer = torch.optim.Adam(model.parameters(), 2e-2)
best_acc1 = 0
for epoch in range(8):
    model.train()
    for i in torch.randperm(60).split(10):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[i]), y[i]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc1 = (model(xv).argmax(1) == yv).float().mean().item()
    is_best = acc1 > best_acc1
    best_acc1 = max(acc1, best_acc1)
    save_checkpoint({"epoch": epoch + 1, "state_dict": model.state_dict(), "best_acc1": best_acc1,
                     "optimizer": optimizer.state_dict()}, is_best)
    print(epoch, acc1, is_best)
