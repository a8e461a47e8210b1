import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

SPEAKERS = 12


class PairDataset(Dataset):
    """Two 'recordings' and +1 if one speaker made both, else -1."""

    def __init__(self, voices, per_speaker):
        who = torch.arange(SPEAKERS).repeat_interleave(per_speaker)
        self.who = who
        self.x = voices[who] + 0.5 * torch.randn(len(who), voices.size(1))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        same = bool(torch.rand(()) < 0.5)
        pool = (self.who == self.who[i]) if same else (self.who != self.who[i])
        j = pool.nonzero().flatten()
        j = j[torch.randint(len(j), ())]
        return self.x[i], self.x[j], torch.tensor(1.0 if same else -1.0)


class SpeakerNet(nn.Module):
    def __init__(self, n_in=24, n_hidden=64, n_emb=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, n_hidden), nn.PReLU(), nn.Dropout(0.1), nn.Linear(n_hidden, n_emb))

    def embed(self, x):
        return self.net(x)

    def forward(self, a, b):
        return self.embed(a), self.embed(b)


def fixed_pairs(dataset, n=300):
    """The validation pairs are drawn once, so that epochs can be compared."""
    return [dataset[i % len(dataset)] for i in range(n)]


voices = torch.randn(SPEAKERS, 24)
train_set = PairDataset(voices, 50)
val_pairs = fixed_pairs(PairDataset(voices, 15))
train_loader = DataLoader(train_set, batch_size=30, shuffle=True)
val_loader = DataLoader(val_pairs, batch_size=60)

net = SpeakerNet()
criterion = nn.CosineEmbeddingLoss(margin=0.3)
optimizer = optim.Adamax(net.parameters(), lr=5e-3)

for epoch in range(1, 7):
    net.train()
    running = 0.0
    for a, b, target in train_loader:
        optimizer.zero_grad()
        ea, eb = net(a, b)
        loss = criterion(ea, eb, target)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(a)

    net.eval()
    right = 0
    with torch.no_grad():
        for a, b, target in val_loader:
            sim = torch.cosine_similarity(*net(a, b))
            right += ((sim > 0.3) == (target > 0)).sum().item()
    print("Epoch {} loss {:.4f} pair accuracy {:.1f}%".format(epoch, running / len(train_set), 100.0 * right / len(val_pairs)))
