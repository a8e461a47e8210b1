from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)
g = torch.Generator().manual_seed(5)


def random_graph(label: int):
    """class 1 has a triangle-rich neighbourhood, class 0 is tree-like; nodes carry their degree."""
    n = int(torch.randint(8, 15, (1,), generator=g))
    A = torch.zeros(n, n)
    for v in range(1, n):
        w = int(torch.randint(0, v, (1,), generator=g))
        A[v, w] = A[w, v] = 1
        if label and A[w].sum() > 1:
            u = int(A[w].nonzero()[0])
            if u != v:
                A[v, u] = A[u, v] = 1
    return A, label


def collate(graphs):
    m = max(len(A) for A, _ in graphs)
    adj, mask = torch.zeros(len(graphs), m, m), torch.zeros(len(graphs), m, 1)
    for k, (A, _) in enumerate(graphs):
        adj[k, : len(A), : len(A)] = A
        mask[k, : len(A)] = 1
    return adj, mask, torch.tensor([y for _, y in graphs])


class GIN(nn.Module):
    def __init__(self, width=32, depth=3):
        super().__init__()
        self.eps = nn.Parameter(torch.zeros(depth))
        self.blocks = nn.ModuleDict(
            {f"hop{k}": nn.Sequential(nn.Linear(1 if k == 0 else width, width), nn.ReLU(), nn.Linear(width, width)) for k in range(depth)}
        )
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.blocks})
        self.readout = nn.Linear(depth * width, 2)

    def forward(self, adj, mask):
        h, pooled = adj.sum(-1, keepdim=True) / 4, []
        for k, (name, mlp) in enumerate(self.blocks.items()):
            h = mlp((1 + self.eps[k]) * h + adj @ h)
            h = F.relu(self.norms[name](h)) * mask
            pooled.append(h.sum(1) / mask.sum(1))
        return self.readout(torch.cat(pooled, -1))


graphs = [random_graph(k % 2) for k in range(500)]
train = DataLoader(graphs[:400], batch_size=40, shuffle=True, collate_fn=collate)
test = DataLoader(graphs[400:], batch_size=50, collate_fn=collate)
model = GIN()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

for epoch in range(6):
    model.train()
    for adj, mask, y in train:
        optimizer.zero_grad()
        F.cross_entropy(model(adj, mask), y).backward()
        optimizer.step()
    model.eval()
    hits = 0
    with torch.no_grad():
        for adj, mask, y in test:
            hits += (model(adj, mask).argmax(-1) == y).sum().item()
    print(f"epoch {epoch + 1:02d}  test accuracy {hits / len(test.dataset):.3f}")
