"""Curriculum: a batch sampler that lets harder rows in epoch by epoch, in random order among those let in."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler


class Sums(Dataset):
    """Digit strings; the class is the number of digits above 4, modulo 3. Difficulty: the length."""

    def __init__(self, n, rng):
        self.rows = [[rng.randrange(10) for _ in range(rng.randint(1, 6))] for _ in range(n)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        r = self.rows[i]
        return torch.tensor(r), sum(v > 4 for v in r) % 3


class Curriculum(Sampler):
    def __init__(self, difficulty, batch_size, rng):
        self.order = sorted(range(len(difficulty)), key=difficulty.__getitem__)
        self.batch_size, self.rng, self.share = batch_size, rng, 0.4

    def set_epoch(self, epoch, epochs):
        self.share = min(1.0, 0.4 + 0.8 * epoch / epochs)

    def __len__(self):
        return int(len(self.order) * self.share) // self.batch_size

    def __iter__(self):
        allowed = self.order[: int(len(self.order) * self.share)]
        self.rng.shuffle(allowed)
        for k in range(len(self)):
            yield allowed[k * self.batch_size : (k + 1) * self.batch_size]


def collate(batch):
    seqs, labels = zip(*batch)
    return nn.utils.rnn.pack_sequence(list(seqs), enforce_sorted=False), torch.tensor(labels)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.rnn, self.fc = nn.Embedding(10, 12), nn.GRU(12, 32), nn.Linear(32, 3)

    def forward(self, packed):
        data = nn.utils.rnn.PackedSequence(self.emb(packed.data), packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
        _, h = self.rnn(data)
        return self.fc(h[-1])


rng = random.Random(1)
train, val = Sums(1000, rng), Sums(250, rng)
sampler = Curriculum([len(r) for r in train.rows], 32, rng)
loader, val_loader = DataLoader(train, batch_sampler=sampler, collate_fn=collate), DataLoader(val, 50, collate_fn=collate)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
EPOCHS = 10
for epoch in range(EPOCHS):
    sampler.set_epoch(epoch, EPOCHS)
    net.train()
    for seqs, labels in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(seqs), labels)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(s).argmax(1) == t).sum().item() for s, t in val_loader) / len(val)
    print(f"epoch {epoch}: {len(loader)} batches, val {acc:.3f}")
