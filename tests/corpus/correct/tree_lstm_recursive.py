"""Child-sum Tree-LSTM evaluated by recursion on boolean expression trees; one tree at a time, gradients of 16 trees together."""
import random

import torch
from torch import nn

OPS = {"and": 0, "or": 1, "not": 2, "T": 3, "F": 4}


def grow(rng, depth):
    if depth == 0 or rng.random() < 0.2:
        return (rng.choice("TF"),)
    op = rng.choice(["and", "or", "not"])
    return (op, *(grow(rng, depth - 1) for _ in range(1 if op == "not" else 2)))


def value(tree):
    head, *kids = tree
    v = [value(k) for k in kids]
    return {"and": lambda: v[0] and v[1], "or": lambda: v[0] or v[1], "not": lambda: not v[0], "T": lambda: True, "F": lambda: False}[head]()


class TreeLSTM(nn.Module):
    def __init__(self, d=20):
        super().__init__()
        self.emb = nn.Embedding(len(OPS), d)
        self.iou = nn.Linear(2 * d, 3 * d)
        self.fx, self.fh = nn.Linear(d, d), nn.Linear(d, d, bias=False)
        self.out = nn.Linear(d, 1)
        self.d = d

    def node(self, tree):
        head, *kids = tree
        x = self.emb.weight[OPS[head]]
        states = [self.node(k) for k in kids]
        h_sum = sum((h for h, _ in states), torch.zeros(self.d))
        i, o, u = self.iou(torch.cat([x, h_sum])).chunk(3)
        c = i.sigmoid() * u.tanh()
        for h, child_c in states:
            c = c + (self.fx(x) + self.fh(h)).sigmoid() * child_c
        return o.sigmoid() * c.tanh(), c

    def forward(self, tree):
        return self.out(self.node(tree)[0])


def main():
    rng = random.Random(4)
    torch.manual_seed(4)
    trees = [grow(rng, 3) for _ in range(360)]
    train, test = trees[:300], trees[300:]
    model = TreeLSTM()
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(4):
        rng.shuffle(train)
        total = 0.0
        for s in range(0, 300, 20):
            opt.zero_grad()
            chunk = train[s:s + 20]
            logits = torch.cat([model(t) for t in chunk])
            loss = nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor([float(value(t)) for t in chunk]))
            loss.backward()
            opt.step()
            total += loss.item() * 20
        with torch.no_grad():
            acc = sum((model(t).item() > 0) == value(t) for t in test) / len(test)
        print(f"epoch {epoch} loss {total / 300:.3f} test {acc:.3f}")


main()
