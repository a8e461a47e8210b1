"""Emotion from keystrokes: GRU with packed sequences."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader


class KeyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 24, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.4), nn.Linear(24, 24), nn.ReLU(), nn.Dropout(0.4), nn.Linear(24, 3))

    def forward(self, x, lengths):
        _, h = self.rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return self.head(h[-1])


def strokes(n):
    rows = []
    for _ in range(n):
        y = int(torch.randint(0, 3, ()))
        length = int(torch.randint(6, 14, ()))
        gap = (0.3 + 0.35 * y) * torch.rand(length) + 0.1 * y
        hold = 0.2 + 0.1 * torch.randn(length)
        rows.append((torch.stack([gap, hold], 1), y))
    return rows


def collate(rows):
    xs, ys = zip(*rows)
    return pad_sequence(xs, batch_first=True), torch.tensor([len(x) for x in xs]), torch.tensor(ys)


class Session:
    def __init__(self):
        torch.manual_seed(4)
        self.train_dl = DataLoader(strokes(640), 32, shuffle=True, collate_fn=collate)
        self.val_dl = DataLoader(strokes(192), 32, collate_fn=collate)
        self.net = KeyNet()
        self.opt = torch.optim.Adam(self.net.parameters(), 4e-3)

    def epoch(self):
        for x, n, y in self.train_dl:
            self.opt.zero_grad()
            nn.functional.cross_entropy(self.net(x, n), y).backward()
            self.opt.step()

    @torch.no_grad()
    def accuracy(self):
        total = 0.0
        for x, n, y in self.val_dl:
            total += (self.net(x, n).argmax(1) == y).float().mean().item()
        return total / len(self.val_dl.dataset)


session = Session()
for k in range(5):
    session.epoch()
    print(f"epoch {k}: accuracy {session.accuracy():.4f}")
