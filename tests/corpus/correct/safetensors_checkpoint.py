"""Weights written with safetensors, the rest of the state as JSON; then loaded into a new model for inference."""
import json

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def net():
    return nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Linear(32, 1))


torch.manual_seed(0)
x = torch.randn(256, 3)
y = x[:, :1] * x[:, 1:2] + x[:, 2:]
model = net()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(6):
    model.train()
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(a), b)
        loss.backward()
        opt.step()
save_file(model.state_dict(), "weights.safetensors")
with open("meta.json", "w") as f:
    json.dump({"epochs": 6, "loss": loss.item()}, f)
fresh = net()
fresh.load_state_dict(load_file("weights.safetensors"))
fresh.eval()
model.eval()
with torch.inference_mode():
    assert torch.equal(fresh(x), model(x))
print(json.load(open("meta.json")))
