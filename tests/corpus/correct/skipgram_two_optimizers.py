"""word2vec with negative samples: sparse embeddings under SparseAdam, the rest under Adam."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
V, D = 40, 12
walk = [0]
for _ in range(1200):
    walk.append((walk[-1] + int(torch.randint(-2, 3, ()))) % V)
walk = torch.tensor(walk)
pairs = torch.cat([torch.stack([walk[:-k], walk[k:]], 1) for k in (1, 2)])
centre = nn.Embedding(V, D, sparse=True)
context = nn.Embedding(V, D, sparse=True)
scale = nn.Linear(1, 1)
sparse_opt = torch.optim.SparseAdam(list(centre.parameters()) + list(context.parameters()), lr=2e-2)
dense_opt = torch.optim.Adam(scale.parameters(), lr=1e-2)
for epoch in range(3):
    total = 0.0
    for rows in torch.randperm(len(pairs)).split(100):
        c, o = pairs[rows].unbind(1)
        neg = torch.randint(V, (len(rows), 4))
        pos_s = (centre(c) * context(o)).sum(1)
        neg_s = torch.bmm(context(neg), centre(c).unsqueeze(2)).squeeze(2)
        s = scale(torch.cat([pos_s[:, None], neg_s], 1).unsqueeze(-1)).squeeze(-1)
        target = torch.zeros_like(s)
        target[:, 0] = 1
        loss = F.binary_cross_entropy_with_logits(s, target)
        sparse_opt.zero_grad()
        dense_opt.zero_grad()
        loss.backward()
        sparse_opt.step()
        dense_opt.step()
        total += loss.item() * len(rows)
    print(epoch, total / len(pairs))
