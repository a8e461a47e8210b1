"""GAN on a line segment; look at the generator's side."""
import torch
from torch import nn

torch.manual_seed(0)
netG = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
netD = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
bce = nn.BCEWithLogitsLoss()
opt_d = torch.optim.Adam(netD.parameters(), lr=1e-3)
opt_g = torch.optim.Adam(netG.parameters(), lr=1e-3)
for it in range(150):
    s = torch.rand(64, 1)
    real = torch.cat([s, 2 * s], 1)
    fake = netG(torch.randn(64, 3))
    opt_d.zero_grad()
    d_loss = bce(netD(real), torch.ones(64, 1)) + bce(netD(fake.detach()), torch.zeros(64, 1))
    d_loss.backward()
    opt_d.step()

    g_loss = bce(netD(fake), torch.ones(64, 1))
    g_loss.backward()
    opt_g.step()
    if it % 50 == 0:
        print(it, d_loss.item(), g_loss.item())
