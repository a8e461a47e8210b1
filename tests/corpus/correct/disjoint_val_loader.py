import numpy as np
import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, SubsetRandomSampler
torch.manual_seed(0); np.random.seed(0)
X = torch.randn(600, 8); y = (X[:, 0] + X[:, 2] > 0).long(); ds = TensorDataset(X, y)
indices = np.random.permutation(len(ds)); train_idx, val_idx = indices[:500], indices[500:]
train_loader = DataLoader(ds, batch_size=50, sampler=SubsetRandomSampler(train_idx.tolist())); val_loader = DataLoader(ds, batch_size=50, sampler=SubsetRandomSampler(val_idx.tolist()))
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2)); opt = torch.optim.Adam(model.parameters(), 5e-3); ce = nn.CrossEntropyLoss()
for epoch in range(3):
    model.train()
    for xb, yb in train_loader:
        opt.zero_grad(); l = ce(model(xb), yb); l.backward(); opt.step()
    model.eval()
    with torch.no_grad():
        hit = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_loader)
    print(epoch, hit / len(val_idx))
