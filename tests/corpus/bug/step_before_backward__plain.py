import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(300, 5)
Y = X.pow(2).sum(1, keepdim=True)
dl = DataLoader(TensorDataset(X, Y), batch_size=30, shuffle=True)
model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
loss_fn = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(5):
    for xb, yb in dl:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        opt.step()
        loss.backward()
    print(epoch, loss.item())
