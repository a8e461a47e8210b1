"""A tiny U-shaped network learns to remove noise that is drawn afresh for every batch."""
import torch
import torch.nn as nn


def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(2, o), nn.SiLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = double(1, 8), double(8, 16)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.u1 = double(16, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(self.pool(a))
        return self.out(self.u1(torch.cat([a, self.up(b)], dim=1)))


def shapes(n):
    img = torch.zeros(n, 1, 16, 16)
    for i in range(n):
        r, c = torch.randint(2, 10, (2,)).tolist()
        img[i, 0, r:r + 5, c:c + 5] = 1
    return img


torch.manual_seed(0)
clean, held = shapes(192), shapes(48)
net = UNet()
optimiser = torch.optim.AdamW(net.parameters(), lr=5e-3)
noise_held = held + 0.4 * torch.randn_like(held)
for epoch in range(4):
    net.train()
    for batch in clean[torch.randperm(192)].split(32):
        noisy = batch + 0.4 * torch.randn_like(batch)
        loss = nn.functional.mse_loss(net(noisy), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        print(epoch, loss.item(), nn.functional.mse_loss(net(noise_held), held).item())
