"""Perceiver-like classifier of point sequences, attention by F.scaled_dot_product_attention."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Attend(nn.Module):
    def __init__(self, d, heads, dropout):
        super().__init__()
        self.to_q, self.to_kv, self.to_out = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.heads, self.dropout = heads, dropout

    def forward(self, q, ctx):
        q, (k, v) = self.to_q(q), self.to_kv(ctx).chunk(2, -1)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
        return self.to_out(out.transpose(1, 2).flatten(2))


class Perceiver(nn.Module):
    def __init__(self, d=32, latents=6, classes=4, dropout=0.2):
        super().__init__()
        self.inp = nn.Linear(3, d)
        self.latents = nn.Parameter(torch.randn(latents, d) * 0.1)
        self.cross, self.inner = Attend(d, 4, dropout), Attend(d, 4, dropout)
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.ff = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.head = nn.Linear(d, classes)

    def forward(self, x):
        z = self.latents.expand(len(x), -1, -1)
        z = z + self.cross(z, self.inp(x))
        n = self.n1(z)
        z = z + self.inner(n, n)
        z = z + self.ff(self.n2(z))
        return self.head(z.mean(1))


def curves(n):
    y = torch.randint(0, 4, (n,))
    t = torch.linspace(0, 1, 20).expand(n, -1)
    f = (y + 1).float()[:, None] * 3
    return torch.stack([t, torch.sin(f * t) + 0.2 * torch.randn(n, 20), torch.cos(f * t) + 0.2 * torch.randn(n, 20)], -1), y


if __name__ == "__main__":
    torch.manual_seed(3)
    train = DataLoader(TensorDataset(*curves(800)), 40, shuffle=True)
    test = DataLoader(TensorDataset(*curves(200)), 100)
    model = Perceiver()
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    for epoch in range(5):
        model.train()
        for x, y in train:
            opt.zero_grad()
            F.cross_entropy(model(x), y).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            print(epoch, sum((model(x).argmax(1) == y).sum().item() for x, y in test) / 200)
