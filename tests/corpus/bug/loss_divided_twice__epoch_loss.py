import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(640, 6); y = X[:, :3].argmax(1)
tl = DataLoader(TensorDataset(X[:512], y[:512]), 32, shuffle=True)
vl = DataLoader(TensorDataset(X[512:], y[512:]), 32)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
for ep in range(3):
    model.train()
    train_loss = 0.0
    for a, b in tl:
        opt.zero_grad()
        loss = criterion(model(a), b)
        loss.backward()
        opt.step()
        train_loss += loss.item()
    train_loss /= len(tl.dataset)
    model.eval()
    val_loss = 0.0
    with torch.no_grad():
        for a, b in vl:
            val_loss += criterion(model(a), b).item()
    val_loss /= len(vl.dataset)
    print(f"Epoch {ep}: train {train_loss:.6f} val {val_loss:.6f}")
