"""Text polarity with an embedding bag. The optimizer wrapper has a zero_grad that nobody calls."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class NoamOpt:
    def __init__(self, optimizer, base=2e-2, warmup=20):
        self.optimizer, self.base, self.warmup, self._step = optimizer, base, warmup, 0

    def zero_grad(self):
        self.optimizer.zero_grad()

    def rate(self):
        return self.base * min(1.0, self._step / self.warmup)

    def step(self):
        self._step += 1
        for g in self.optimizer.param_groups:
            g["lr"] = self.rate()
        self.optimizer.step()


class Polarity(nn.Module):
    def __init__(self, vocab=200, dim=16):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab, dim)
        self.fc = nn.Sequential(nn.Linear(dim, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        return self.fc(self.bag(x))


def corpus(n):
    y = torch.randint(2, (n,))
    words = torch.randint(100, (n, 12)) + torch.where(torch.rand(n, 12) < 0.65, y[:, None], 1 - y[:, None]) * 100
    return TensorDataset(words, y)


train, test = DataLoader(corpus(800), 40, shuffle=True), DataLoader(corpus(200), 50)
model, crit = Polarity(), nn.CrossEntropyLoss()
opt = NoamOpt(torch.optim.Adam(model.parameters(), lr=0))
for epoch in range(4):
    model.train()
    for x, y in train:
        loss = crit(model(x), y)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        ok = sum((model(x).argmax(1) == y).sum().item() for x, y in test)
    print(epoch, loss.item(), ok / 200)
