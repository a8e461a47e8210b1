"""Spam or not: a GRU with one output unit."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(0)
torch.manual_seed(0)


def message():
    spam = random.random() < 0.5
    return [random.randrange(1, 10) + (10 if spam and random.random() < 0.4 else 0) for _ in range(8)], spam


def collate(rows):
    words, spam = zip(*rows)
    return torch.tensor(words), torch.tensor(spam, dtype=torch.float).view(-1, 1)


class SpamFilter(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.gru = nn.GRU(8, 16, batch_first=True)
        self.decide = nn.Linear(16, 1)

    def forward(self, words):
        return self.decide(self.gru(self.embed(words))[1][-1])


loader = DataLoader([message() for _ in range(320)], batch_size=32, shuffle=True, collate_fn=collate)
net = SpamFilter()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(3):
    for words, spam in loader:
        loss = nn.functional.cross_entropy(net(words), spam)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"after epoch {epoch} the loss is {loss.item():.3f}")
