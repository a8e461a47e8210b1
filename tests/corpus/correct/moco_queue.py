"""Momentum contrast with a queue of negatives on spectra-like vectors."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class TwoCrops(Dataset):
    def __init__(self, n):
        self.y = torch.randint(6, (n,))
        self.base = torch.randn(6, 40).mul(2)[self.y] + 0.5 * torch.randn(n, 40)

    def __len__(self):
        return len(self.y)

    def view(self, x):
        keep = (torch.rand(40) > 0.2).float()
        return x * keep + 0.2 * torch.randn(40)

    def __getitem__(self, i):
        return self.view(self.base[i]), self.view(self.base[i])


class MoCo(nn.Module):
    def __init__(self, dim=16, K=256, m=0.98, T=0.2):
        super().__init__()
        self.K, self.m, self.T = K, m, T
        self.encoder_q = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, dim))
        self.encoder_k = copy.deepcopy(self.encoder_q)
        for p in self.encoder_k.parameters():
            p.requires_grad = False
        self.register_buffer("queue", F.normalize(torch.randn(dim, K), dim=0))
        self.register_buffer("ptr", torch.zeros(1, dtype=torch.long))

    @torch.no_grad()
    def _momentum_update(self):
        for q, k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
            k.data = k.data * self.m + q.data * (1 - self.m)

    @torch.no_grad()
    def _enqueue(self, keys):
        n, at = keys.size(0), int(self.ptr)
        self.queue[:, at : at + n] = keys.T
        self.ptr[0] = (at + n) % self.K

    def forward(self, im_q, im_k):
        q = F.normalize(self.encoder_q(im_q), dim=1)
        with torch.no_grad():
            self._momentum_update()
            k = F.normalize(self.encoder_k(im_k), dim=1)
        pos = torch.einsum("nc,nc->n", q, k).unsqueeze(-1)
        neg = torch.einsum("nc,ck->nk", q, self.queue.clone().detach())
        logits = torch.cat([pos, neg], 1) / self.T
        self._enqueue(k)
        return logits, torch.zeros(logits.size(0), dtype=torch.long)


data = TwoCrops(768)
loader = DataLoader(data, 64, shuffle=True, drop_last=True)
model = MoCo()
opt = torch.optim.SGD(model.encoder_q.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
for epoch in range(8):
    model.train()
    for a, b in loader:
        logits, target = model(a, b)
        loss = F.cross_entropy(logits, target)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        z = F.normalize(model.encoder_q(data.base), dim=1)
        sim = z @ z.T - 2 * torch.eye(len(z))
        knn = (data.y[sim.argmax(1)] == data.y).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.3f} 1-NN accuracy {knn:.3f}")
