"""Exponential moving average of the weights beside the trained model (AveragedModel)."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.manual_seed(0)
X = torch.rand(512, 1) * 6 - 3
y = torch.sin(X) + 0.1 * torch.randn_like(X)
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(10):
    for idx in torch.randperm(512).split(64):
        loss = nn.functional.mse_loss(model(X[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ema.update_parameters(model)
    with torch.no_grad():
        print(epoch, loss.item(), nn.functional.mse_loss(ema(X), y).item())
torch.save(ema.module.state_dict(), "ema.pt")
