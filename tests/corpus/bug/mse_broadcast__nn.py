import torch
import torch.nn as nn
import warnings
warnings.filterwarnings("ignore")
def get_loader():
    x = torch.rand(240, 3)
    y = x.prod(dim=1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 24, shuffle=True)
torch.manual_seed(5)
net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for ep in range(5):
    for x, y in get_loader():
        opt.zero_grad()
        l = nn.functional.mse_loss(net(x), y)
        l.backward()
        opt.step()
    print(ep, float(l))
