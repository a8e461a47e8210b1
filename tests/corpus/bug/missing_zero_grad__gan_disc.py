import torch
from torch import nn
torch.manual_seed(1)
G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
gopt = torch.optim.Adam(G.parameters(), lr=1e-3)
dopt = torch.optim.Adam(D.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for it in range(60):
    real = torch.randn(32, 2) * 0.5 + 2
    # train D
    fake = G(torch.randn(32, 4)).detach()
    d_loss = bce(D(real), torch.ones(32, 1)) + bce(D(fake), torch.zeros(32, 1))
    d_loss.backward()
    dopt.step()
    # train G
    gopt.zero_grad()
    g_loss = bce(D(G(torch.randn(32, 4))), torch.ones(32, 1))
    g_loss.backward()
    gopt.step()
    if it % 20 == 0:
        print(it, d_loss.item(), g_loss.item())
