"""Deep SVDD on sensor rows; only trainable parameters go to the optimizer and to the clipping."""
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(12), requires_grad=False)
        self.net = nn.Sequential(nn.Linear(12, 64, bias=False), nn.LeakyReLU(0.1), nn.Linear(64, 6, bias=False))

    def forward(self, x):
        return self.net(x * self.scale)


class SVDD:
    def __init__(self, lr=0.005, clip=0.5):
        self.encoder = Encoder()
        self.trainable = filter(lambda p: p.requires_grad, self.encoder.parameters())
        self.optimizer = optim.SGD(self.trainable, lr=lr, momentum=0.9, weight_decay=1e-4)
        self.clip = clip
        self.centre = None

    def init_centre(self, x):
        with torch.no_grad():
            c = self.encoder(x).mean(0)
        c[(c.abs() < 0.1)] = 0.1
        self.centre = c

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            total = 0.0
            for x in loader:
                self.optimizer.zero_grad()
                loss = ((self.encoder(x) - self.centre) ** 2).sum(1).mean()
                loss.backward()
                nn.utils.clip_grad_norm_(self.trainable, self.clip)
                self.optimizer.step()
                total += loss.item() * len(x)
            print(f"epoch {epoch}: distance {total / len(loader.dataset):.4f}")

    @torch.no_grad()
    def score(self, x):
        return ((self.encoder(x) - self.centre) ** 2).sum(1)


torch.manual_seed(0)
mix = torch.randn(4, 12)
normal = torch.randn(900, 4) @ mix * 2 + 0.3 * torch.randn(900, 12)
odd = torch.randn(100, 4) @ mix * 2 + 3 * torch.randn(100, 12)
svdd = SVDD()
svdd.init_centre(normal[:800])
svdd.fit(DataLoader(normal[:800], batch_size=40, shuffle=True), 5)
a, b = svdd.score(odd), svdd.score(normal[800:])
print("AUC", (a[:, None] > b[None]).float().mean().item())
