"""Two-tower retrieval trained with BPR triples."""
import torch
from torch import nn


class Tower(nn.Module):
    def __init__(self, n, feats, dim):
        super().__init__()
        self.id = nn.Embedding(n, dim)
        nn.init.normal_(self.id.weight, std=0.1)
        self.proj = nn.Sequential(nn.Linear(feats, 32), nn.ReLU(), nn.Linear(32, dim))

    def forward(self, i, f):
        return self.id(i) + self.proj(f)


def pairwise(kind, pos, neg):
    gap = pos - neg
    table = {
        "bpr": lambda: -nn.functional.logsigmoid(gap).sum(),
        "hinge": lambda: (1 - gap).clamp(min=0).sum(),
    }
    return table[kind]()


torch.manual_seed(6)
n_users, n_items, B = 200, 150, 512
fu, fi = torch.randn(n_users, 6), torch.randn(n_items, 6)
score = fu @ torch.randn(6, 6) @ fi.T
liked = score > score.quantile(0.9, dim=1, keepdim=True)
u_all, i_all = liked.nonzero(as_tuple=True)
perm = torch.randperm(len(u_all))
train, test = perm[:-400], perm[-400:]
user, item = Tower(n_users, 6, 16), Tower(n_items, 6, 16)
params = list(user.parameters()) + list(item.parameters())
opt = torch.optim.SGD(params, lr=0.5)

for epoch in range(5):
    shuffled = train[torch.randperm(len(train))]
    for b in shuffled.split(B):
        u, i, j = u_all[b], i_all[b], torch.randint(n_items, (len(b),))
        eu = user(u, fu[u])
        loss = pairwise("bpr", (eu * item(i, fi[i])).sum(1), (eu * item(j, fi[j])).sum(1))
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        u, i, j = u_all[test], i_all[test], torch.randint(n_items, (len(test),))
        eu = user(u, fu[u])
        auc = ((eu * item(i, fi[i])).sum(1) > (eu * item(j, fi[j])).sum(1)).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.3f} auc {auc:.3f}")
