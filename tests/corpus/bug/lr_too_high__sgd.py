import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(300, 10); y = X @ torch.randn(10, 1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 30, shuffle=True)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=5.0)
for ep in range(4):
    for a, b in dl:
        opt.zero_grad(); loss = nn.functional.mse_loss(net(a), b); loss.backward(); opt.step()
    print(ep, loss.item())
