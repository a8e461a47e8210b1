import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split
torch.manual_seed(0)
X = torch.randn(600, 12); y = (X[:, 0] + X[:, 1] > 0).long()
full = TensorDataset(X, y)
tr, va = random_split(full, [500, 100])
tl = DataLoader(tr, 50, shuffle=True); vl = DataLoader(va, 100)
model = nn.Sequential(nn.Linear(12, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
ce = nn.CrossEntropyLoss()
def evaluate():
    model.eval()
    n = 0
    with torch.inference_mode():
        for x, t in vl:
            n += (model(x).argmax(-1) == t).sum().item()
    return n / len(va)
model.train()
for epoch in range(4):
    for x, t in tl:
        opt.zero_grad(); loss = ce(model(x), t); loss.backward(); opt.step()
    print(epoch, evaluate())
