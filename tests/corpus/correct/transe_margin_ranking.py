"""TransE on a small family graph: margin ranking, entities put back on the sphere before each step."""
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
N, R = 48, 3
SHIFT = [1, 5, 12]
triples = [(h, r, (h + SHIFT[r]) % N) for h in range(N) for r in range(R)]
random.shuffle(triples)
train, test = triples[:120], triples[120:]
known = set(triples)


class TransE(nn.Module):
    def __init__(self, dim=16, margin=1.0):
        super().__init__()
        self.ent, self.rel = nn.Embedding(N, dim), nn.Embedding(R, dim)
        for e in (self.ent, self.rel):
            nn.init.xavier_uniform_(e.weight)
        self.criterion = nn.MarginRankingLoss(margin=margin)

    def distance(self, t):
        h, r, t = t.unbind(1)
        return (self.ent(h) + self.rel(r) - self.ent(t)).norm(p=2, dim=1)

    def forward(self, pos, neg):
        return self.criterion(self.distance(pos), self.distance(neg), -torch.ones(len(pos)))


def corrupt(batch):
    out = []
    for h, r, t in batch:
        while True:
            e = random.randrange(N)
            cand = (e, r, t) if random.random() < 0.5 else (h, r, e)
            if cand not in known:
                break
        out.append(cand)
    return torch.tensor(out)


@torch.no_grad()
def hits_at_10(model, triples):
    hit = 0
    for h, r, t in triples:
        cands = torch.tensor([(h, r, e) for e in range(N) if e == t or (h, r, e) not in known])
        d = model.distance(cands)
        rank = (d < d[(cands[:, 2] == t).nonzero().item()]).sum().item()
        hit += rank < 10
    return hit / len(triples)


model = TransE()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(1, 61):
    random.shuffle(train)
    for i in range(0, len(train), 30):
        with torch.no_grad():
            model.ent.weight.div_(model.ent.weight.norm(dim=1, keepdim=True))
        pos = train[i : i + 30]
        optimizer.zero_grad()
        loss = model(torch.tensor(pos), corrupt(pos))
        loss.backward()
        optimizer.step()
    if epoch % 12 == 0:
        print(f"epoch {epoch} loss {loss.item():.3f} hits@10 train {hits_at_10(model, train):.2f} test {hits_at_10(model, test):.2f}")
