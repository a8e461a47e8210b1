import os, tempfile
import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
ckpt = os.path.join(tempfile.mkdtemp(), "best_model.pt")
X = torch.randn(400, 10); y = (X[:, 0] > 0).long()
flip = torch.rand(400) < 0.2
y[flip] = 1 - y[flip]
tr = DataLoader(TensorDataset(X[:100], y[:100]), 10, shuffle=True)
va = DataLoader(TensorDataset(X[100:], y[100:]), 100)
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
ce = nn.CrossEntropyLoss()
best_acc = 0.0
for epoch in range(10):
    model.train()
    for a, b in tr:
        opt.zero_grad(); ce(model(a), b).backward(); opt.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(a).argmax(1) == b).sum().item() for a, b in va) / 300
    if acc > best_acc:
        best_acc = acc
    torch.save(model.state_dict(), ckpt)
    print(epoch, acc, "best", best_acc)
model.load_state_dict(torch.load(ckpt))
print("loaded the best model")
