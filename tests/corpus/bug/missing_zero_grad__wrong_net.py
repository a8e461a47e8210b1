# pix2pix-like two-network game, D's gradients are cleared twice and G's never
import torch
import torch.nn as nn

bs, z_dim = 32, 4
G = nn.Sequential(nn.Linear(z_dim, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
real_label, fake_label = torch.ones(bs, 1), torch.zeros(bs, 1)


def real_batch():
    a = torch.rand(bs) * 6.28
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(bs, 2)


def D_train(x):
    D.zero_grad()
    loss = criterion(D(x), real_label) + criterion(D(G(torch.randn(bs, z_dim)).detach()), fake_label)
    loss.backward()
    d_opt.step()
    return loss.item()


def G_train():
    D.zero_grad()
    loss = criterion(D(G(torch.randn(bs, z_dim))), real_label)
    loss.backward()
    g_opt.step()
    return loss.item()


for it in range(300):
    d = D_train(real_batch())
    g = G_train()
    if it % 50 == 0:
        print(f"{it}: D {d:.3f} G {g:.3f}")
