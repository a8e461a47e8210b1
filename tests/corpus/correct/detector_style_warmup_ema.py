"""Rates interpolated by iteration during the warm-up, biases apart, an EMA class, a schedule by epochs."""
import math
from copy import deepcopy

import numpy as np
import torch
import torch.nn as nn


class ModelEMA:
    def __init__(self, model, decay=0.99, tau=20):
        self.ema = deepcopy(model).eval()
        self.updates = 0
        self.decay = lambda x: decay * (1 - math.exp(-x / tau))
        for p in self.ema.parameters():
            p.requires_grad_(False)

    def update(self, model):
        self.updates += 1
        d = self.decay(self.updates)
        msd = model.state_dict()
        for k, v in self.ema.state_dict().items():
            if v.dtype.is_floating_point:
                v *= d
                v += (1 - d) * msd[k].detach()


torch.manual_seed(0)
epochs, nb, lr0, lrf, momentum = 5, 12, 0.05, 0.1, 0.9
x = torch.randn(384, 1, 10, 10)
y = (x[:, 0, :5].mean((1, 2)) > x[:, 0, 5:].mean((1, 2))).float()
model = nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.SiLU(), nn.Conv2d(8, 8, 5), nn.SiLU(), nn.Flatten(), nn.Linear(128, 1))
g0, g1, g2 = [], [], []
for m in model.modules():
    if getattr(m, "bias", None) is not None:
        g2.append(m.bias)
    if isinstance(m, nn.BatchNorm2d):
        g0.append(m.weight)
    elif getattr(m, "weight", None) is not None:
        g1.append(m.weight)
optimizer = torch.optim.SGD(g0, lr=lr0, momentum=momentum, nesterov=True)
optimizer.add_param_group({"params": g1, "weight_decay": 5e-4})
optimizer.add_param_group({"params": g2})
lf = lambda e: (1 - e / epochs) * (1.0 - lrf) + lrf
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lf)
ema, nw, nbs, batch = ModelEMA(model), 24, 64, 32
last_opt_step, best_fitness = -1, 0.0
optimizer.zero_grad()
for epoch in range(epochs):
    model.train()
    mloss = torch.zeros(1)
    order = torch.randperm(384)
    for i in range(nb):
        ni = i + nb * epoch
        accumulate = max(1, round(nbs / batch))
        if ni <= nw:
            for j, g in enumerate(optimizer.param_groups):
                g["lr"] = np.interp(ni, [0, nw], [0.1 if j == 2 else 0.0, g["initial_lr"] * lf(epoch)])
                g["momentum"] = np.interp(ni, [0, nw], [0.8, momentum])
        rows = order[i * batch:(i + 1) * batch]
        loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows]).squeeze(1), y[rows]) / accumulate
        loss.backward()
        if ni - last_opt_step >= accumulate:
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=10.0)
            optimizer.step()
            optimizer.zero_grad()
            ema.update(model)
            last_opt_step = ni
        mloss = (mloss * i + loss.detach() * accumulate) / (i + 1)
    scheduler.step()
    with torch.no_grad():
        fi = ((ema.ema(x).squeeze(1) > 0) == (y > 0.5)).float().mean().item()
    if fi > best_fitness:
        best_fitness = fi
    ckpt = {"epoch": epoch, "model": deepcopy(model).state_dict(), "ema": deepcopy(ema.ema).state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(ckpt, "last.pt")
    if best_fitness == fi:
        torch.save(ckpt, "best.pt")
    print(epoch, mloss.item(), fi, [round(g["lr"], 4) for g in optimizer.param_groups])
