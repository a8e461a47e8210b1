"""Sequences of different lengths: own batch sampler by length, own collate, packed LSTM."""
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler


class Words(Dataset):
    def __init__(self, n, seed):
        r = random.Random(seed)
        self.items = []
        for _ in range(n):
            s = [r.randrange(1, 8) for _ in range(r.randrange(3, 12))]
            self.items.append((torch.tensor(s), int(s[0] > s[-1])))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class ByLength(Sampler):
    def __init__(self, ds, bs):
        self.ds, self.bs = ds, bs

    def __len__(self):
        return (len(self.ds) + self.bs - 1) // self.bs

    def __iter__(self):
        order = sorted(range(len(self.ds)), key=lambda i: (len(self.ds[i][0]), random.random()))
        chunks = [order[i:i + self.bs] for i in range(0, len(order), self.bs)]
        random.shuffle(chunks)
        return iter(chunks)


def collate(batch):
    seqs, labels = zip(*batch)
    return pad_sequence(seqs, batch_first=True), torch.tensor([len(s) for s in seqs]), torch.tensor(labels)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(8, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 32, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(64, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.emb(x), lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.fc(torch.cat([h[0], h[1]], dim=1))


random.seed(0)
torch.manual_seed(0)
train_set, test_set = Words(480, 1), Words(120, 2)
train = DataLoader(train_set, batch_sampler=ByLength(train_set, 32), collate_fn=collate)
test = DataLoader(test_set, batch_size=60, collate_fn=collate)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(5):
    net.train()
    for x, n, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x, n), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        hits = sum((net(x, n).argmax(1) == y).sum().item() for x, n, y in test)
    print(epoch, loss.item(), hits / len(test_set))
