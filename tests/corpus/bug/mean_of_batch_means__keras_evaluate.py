"""Sentence-length toy sentiment with a bag of embeddings; evaluate() as in Keras."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Reviews(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.words = torch.randint(0, 200, (n, 12), generator=g)
        polarity = torch.zeros(200)
        polarity[:40], polarity[40:80] = 1, -1
        s = polarity[self.words].sum(1) + 0.5 * torch.randn(n, generator=g)
        self.label = (s > 0).long()

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.words[i], self.label[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(200, 16, mode="mean")
        self.fc = nn.Sequential(nn.ReLU(), nn.Linear(16, 2))

    def forward(self, w):
        return self.fc(self.bag(w))


class Sequential:
    def __init__(self, net):
        self.net = net

    def compile(self, lr):
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr)
        self.loss = nn.CrossEntropyLoss()

    def fit(self, loader, epochs, validation):
        for e in range(epochs):
            self.net.train()
            for x, y in loader:
                loss = self.loss(self.net(x), y)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
            print("epoch", e, "val_loss %.4f val_acc %.4f" % self.evaluate(validation))

    def evaluate(self, loader):
        self.net.eval()
        losses, accs = [], []
        with torch.no_grad():
            for x, y in loader:
                out = self.net(x)
                losses.append(self.loss(out, y).item())
                accs.append((out.argmax(1) == y).float().mean().item())
        return sum(losses) / len(losses), sum(accs) / len(accs)


torch.manual_seed(0)
model = Sequential(Net())
model.compile(2e-2)
model.fit(DataLoader(Reviews(960, 1), batch_size=32, shuffle=True), 5, DataLoader(Reviews(261, 2), batch_size=128))
