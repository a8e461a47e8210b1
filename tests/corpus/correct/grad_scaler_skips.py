"""Mixed precision with a loss scale that overflows at first: the scaler skips those steps."""
import torch
from torch import nn

torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
x = torch.randn(256, 16, device=device)
y = (x[:, :1] - x[:, 1:2]).abs()
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler(device, init_scale=2.0**120, growth_interval=50)
lossf = nn.MSELoss()
for epoch in range(40):
    for idx in torch.randperm(256, device=device).split(64):
        optimizer.zero_grad()
        with torch.autocast(device_type=device, dtype=torch.bfloat16):
            out = model(x[idx])
            loss = lossf(out.float(), y[idx]) * 1e3
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    if epoch % 10 == 0:
        print(epoch, loss.item() / 1e3, f"scale 2^{torch.tensor(scaler.get_scale()).log2():.0f}")
