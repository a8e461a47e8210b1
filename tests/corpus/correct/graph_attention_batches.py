"""Graph attention over small random graphs, block-diagonal batches, graph-level labels."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Graphs(Dataset):
    """Label 1: the marked node sits on the ring's chord; features tell degree and mark."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.items = []
        for _ in range(n):
            k = int(torch.randint(6, 12, (), generator=g))
            a = torch.zeros(k, k)
            i = torch.arange(k)
            a[i, (i + 1) % k] = a[(i + 1) % k, i] = 1
            c = int(torch.randint(2, k - 2, (), generator=g))
            a[0, c] = a[c, 0] = 1
            y = int(torch.randint(2, (), generator=g))
            mark = torch.zeros(k)
            others = [j for j in range(k) if j not in (0, c)]
            pick = c if y else others[int(torch.randint(len(others), (), generator=g))]
            mark[pick] = 1
            self.items.append((torch.stack([mark, a.sum(1) - 2, torch.ones(k)], 1), a + torch.eye(k), y))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def block(batch):
    xs, adjs, ys = zip(*batch)
    owner = torch.arange(len(xs)).repeat_interleave(torch.tensor([len(x) for x in xs]))
    return torch.cat(xs), torch.block_diag(*adjs), owner, torch.tensor(ys)


class GAT(nn.Module):
    def __init__(self, i, o, heads=2):
        super().__init__()
        self.w = nn.Linear(i, heads * o, bias=False)
        self.src, self.dst = nn.Parameter(torch.randn(heads, o) * 0.3), nn.Parameter(torch.randn(heads, o) * 0.3)
        self.h, self.o = heads, o

    def forward(self, x, adj):
        z = self.w(x).view(-1, self.h, self.o)
        e = F.leaky_relu((z * self.src).sum(-1)[:, None] + (z * self.dst).sum(-1)[None], 0.2)
        e = e.masked_fill(adj[..., None] == 0, float("-inf")).softmax(1)
        return F.elu(torch.einsum("ijh,jho->iho", e, z).flatten(1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.g1, self.g2, self.out = GAT(3, 8), GAT(16, 8), nn.Linear(16, 2)

    def forward(self, x, adj, owner):
        h = self.g2(self.g1(x, adj), adj)
        pooled = torch.full((int(owner.max()) + 1, 16), -1e9).index_reduce(0, owner, h, "amax")
        return self.out(pooled)


train, test = DataLoader(Graphs(600, 0), 30, shuffle=True, collate_fn=block), DataLoader(Graphs(200, 1), 40, collate_fn=block)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(8):
    net.train()
    for x, adj, owner, y in train:
        opt.zero_grad()
        loss = F.cross_entropy(net(x, adj, owner), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        hits = sum((net(x, a, o).argmax(1) == y).sum().item() for x, a, o, y in test)
    print(epoch, f"loss {loss.item():.3f} acc {hits / 200:.3f}")
