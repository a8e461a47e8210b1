import torch
from torch import nn, optim
from torch.utils.data import TensorDataset, DataLoader
torch.manual_seed(0)
X = torch.randn(500, 8); y = (X.sum(1) > 0).long()
loader = DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True)
net = nn.Sequential(nn.Linear(8, 20), nn.ReLU(), nn.Linear(20, 2))
opt = optim.Adam(net.parameters())
crit = nn.CrossEntropyLoss()
for epoch in range(3):
    running = 0
    for xb, yb in loader:
        opt.zero_grad()
        loss = crit(net(xb), yb)
        opt.step()
        running += loss.item()
    print(f"Epoch {epoch+1}: {running/len(loader):.4f}")
