"""Factorisation machine for click prediction: sparse embeddings under SparseAdam, the rest under Adam."""
import torch
from torch import nn

torch.manual_seed(42)
USERS, ITEMS, CONTEXTS = 60, 40, 6


class FM(nn.Module):
    def __init__(self, sizes, k=8):
        super().__init__()
        offsets = torch.tensor([0, *torch.tensor(sizes[:-1]).cumsum(0).tolist()])
        self.register_buffer("offsets", offsets)
        self.linear = nn.Embedding(sum(sizes), 1, sparse=True)
        self.factors = nn.Embedding(sum(sizes), k, sparse=True)
        nn.init.zeros_(self.linear.weight)
        nn.init.normal_(self.factors.weight, std=0.1)
        self.bias = nn.Parameter(torch.zeros(1))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, fields):
        idx = fields + self.offsets
        v = self.factors(idx)
        pairwise = 0.5 * (v.sum(1).pow(2) - v.pow(2).sum(1)).sum(1)
        return self.bias + self.linear(idx).sum((1, 2)) + self.scale * pairwise


def interactions(n, taste, appeal):
    u, i, c = torch.randint(USERS, (n,)), torch.randint(ITEMS, (n,)), torch.randint(CONTEXTS, (n,))
    score = 2.0 * (taste[u] * appeal[i]).sum(1) + 0.3 * (c - 2)
    return torch.stack([u, i, c], 1), torch.bernoulli(torch.sigmoid(score))


taste, appeal = torch.randn(USERS, 3), torch.randn(ITEMS, 3)
X, y = interactions(6000, taste, appeal)
X_test, y_test = interactions(1500, taste, appeal)
model = FM([USERS, ITEMS, CONTEXTS])
sparse = torch.optim.SparseAdam([*model.linear.parameters(), *model.factors.parameters()], lr=1e-2)
dense = torch.optim.Adam([model.bias, model.scale], lr=1e-3)
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(10):
    model.train()
    order = torch.randperm(len(X))
    for start in range(0, len(X), 100):
        rows = order[start : start + 100]
        loss = loss_fn(model(X[rows]), y[rows])
        for opt in (sparse, dense):
            opt.zero_grad()
        loss.backward()
        for opt in (sparse, dense):
            opt.step()
    model.eval()
    with torch.no_grad():
        logits = model(X_test)
        ranks = logits.argsort().argsort().float()
        pos = y_test.bool()
        auc = (ranks[pos].mean() - (pos.sum() - 1) / 2) / (~pos).sum()
    print(f"epoch {epoch:2d}  logloss {loss_fn(logits, y_test).item():.4f}  auc {auc.item():.3f}")
