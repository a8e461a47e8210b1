"""Discrete VAE with a relaxed categorical code; temperature annealed by hand."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn, optim

p = argparse.ArgumentParser(description="gumbel-softmax VAE")
p.add_argument("--batch-size", type=int, default=50)
p.add_argument("--epochs", type=int, default=12)
p.add_argument("--no-cuda", action="store_true")
args = p.parse_args([])
device = torch.device("cuda" if torch.cuda.is_available() and not args.no_cuda else "cpu")


class DVAE(nn.Module):
    def __init__(self, latents=4, cats=6):
        super().__init__()
        self.n, self.k = latents, cats
        self.fc1, self.fc2 = nn.Linear(36, 48), nn.Linear(48, latents * cats)
        self.fc3, self.fc4 = nn.Linear(latents * cats, 48), nn.Linear(48, 36)

    def forward(self, x, tau):
        q = self.fc2(F.relu(self.fc1(x))).view(-1, self.n, self.k)
        z = F.gumbel_softmax(q, tau, hard=not self.training)
        return self.fc4(F.relu(self.fc3(z.flatten(1)))), q.softmax(-1)


def loss_function(logits, x, qy):
    bce = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.size(0)
    kld = (qy * torch.log(qy * qy.size(-1) + 1e-20)).sum((1, 2)).mean()
    return bce + kld


glyphs = (torch.rand(8, 36, device=device) < 0.4).float()


def draw(n):
    g = glyphs[torch.randint(8, (n,), device=device)]
    flip = (torch.rand_like(g) < 0.03).float()
    return (g - flip).abs()


train, test = draw(1000), draw(200)
model = DVAE().to(device)
optimizer = optim.Adam(model.parameters(), lr=3e-3)
temp = 1.0
for epoch in range(1, args.epochs + 1):
    model.train()
    train_loss = 0
    for idx in torch.randperm(1000, device=device).split(args.batch_size):
        data = train[idx]
        optimizer.zero_grad()
        recon, qy = model(data, temp)
        loss = loss_function(recon, data, qy)
        loss.backward()
        train_loss += loss.item() * len(data)
        optimizer.step()
    temp = max(temp * 0.92, 0.5)
    model.eval()
    with torch.no_grad():
        recon, qy = model(test, temp)
        print(f"====> Epoch {epoch} train {train_loss / 1000:.3f} test {loss_function(recon, test, qy).item():.3f}")
