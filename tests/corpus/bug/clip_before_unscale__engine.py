"""timm-like training engine on the CPU with a float16 scaler; clipping sees scaled gradients."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class NativeScaler:
    def __init__(self, device="cpu"):
        self._scaler = torch.amp.GradScaler(device, init_scale=2.0**14)

    def __call__(self, loss, optimizer, parameters, clip_grad=None):
        self._scaler.scale(loss).backward()
        if clip_grad is not None:
            nn.utils.clip_grad_norm_(parameters, clip_grad)
        self._scaler.step(optimizer)
        self._scaler.update()


proto = torch.randn(5, 20)
y = torch.randint(5, (1000,))
x = proto[y] + torch.randn(1000, 20)
loader = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
model = nn.Sequential(nn.Linear(20, 48), nn.GELU(), nn.Linear(48, 5))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
loss_scaler = NativeScaler()
for epoch in range(5):
    model.train()
    for a, b in loader:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(a), b)
        optimizer.zero_grad()
        loss_scaler(loss, optimizer, model.parameters(), clip_grad=1.0)
    model.eval()
    with torch.no_grad():
        print(epoch, loss.item(), (model(x[800:]).argmax(1) == y[800:]).float().mean().item())
