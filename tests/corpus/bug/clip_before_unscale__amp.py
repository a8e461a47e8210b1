import torch, torch.nn as nn
from torch.amp import autocast, GradScaler
torch.manual_seed(0)
X = torch.randn(256, 16); y = X[:, :4].argmax(1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 32, shuffle=True)
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = GradScaler("cpu")
for epoch in range(3):
    for a, b in dl:
        opt.zero_grad(set_to_none=True)
        with autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(model(a), b)
        scaler.scale(loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
    print(epoch, loss.item())
