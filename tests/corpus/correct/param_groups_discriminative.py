"""Slow backbone, fast head, no weight decay on biases and norms."""
import torch
from torch import nn

torch.manual_seed(0)
backbone = nn.Sequential(nn.Linear(16, 64), nn.LayerNorm(64), nn.ReLU())
head = nn.Linear(64, 5)
model = nn.Sequential(backbone, head)

decay, no_decay = [], []
for name, p in backbone.named_parameters():
    (no_decay if p.ndim == 1 else decay).append(p)
optimizer = torch.optim.AdamW([
    {"params": decay, "lr": 1e-3, "weight_decay": 0.1},
    {"params": no_decay, "lr": 1e-3, "weight_decay": 0.0},
    {"params": head.parameters(), "lr": 1e-2, "weight_decay": 0.0},
])
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)

X = torch.randn(600, 16)
y = (X @ torch.randn(16, 5)).argmax(1)
ds = torch.utils.data.TensorDataset(X, y)
tr, va = torch.utils.data.random_split(ds, [0.8, 0.2])
for epoch in range(5):
    model.train()
    for xb, yb in torch.utils.data.DataLoader(tr, 32, shuffle=True):
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    model.eval()
    with torch.no_grad():
        n = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in torch.utils.data.DataLoader(va, 60))
    print(epoch, [f"{g['lr']:.1e}" for g in optimizer.param_groups], n / len(va))
