"""A small encoder for bracket sequences (balanced or not)."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = "cuda" if torch.cuda.is_available() else "cpu"


class Positions(nn.Module):
    def __init__(self, d, longest=64):
        super().__init__()
        t = torch.arange(longest).unsqueeze(1)
        w = torch.exp(torch.arange(0, d, 2) * (-4.0 / d))
        table = torch.zeros(longest, d)
        table[:, 0::2], table[:, 1::2] = torch.sin(t * w), torch.cos(t * w)
        self.table = table

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Encoder(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.embed = nn.Embedding(3, d)
        self.positions = Positions(d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(d, 2)

    def forward(self, tokens):
        return self.out(self.layers(self.positions(self.embed(tokens))).mean(1))


def sequences(n, length=12):
    tokens = torch.randint(0, 2, (n, length))
    half = torch.rand(n) < 0.5
    for i in half.nonzero().flatten().tolist():
        depth, row = 0, []
        for k in range(length):
            left = length - k
            up = depth == 0 or (depth < left and torch.rand(()).item() < 0.5)
            row.append(int(up))
            depth += 1 if up else -1
        tokens[i] = torch.tensor(row)
    walk = (tokens * 2 - 1).cumsum(1)
    return tokens, ((walk.min(1).values >= 0) & (walk[:, -1] == 0)).long()


torch.manual_seed(3)
x, y = sequences(900)
train = DataLoader(TensorDataset(x[:750], y[:750]), batch_size=50, shuffle=True)
test = DataLoader(TensorDataset(x[750:], y[750:]), batch_size=50)
model = Encoder().to(device)
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(4):
    model.train()
    for tokens, label in train:
        tokens, label = tokens.to(device), label.to(device)
        opt.zero_grad()
        loss = loss_fn(model(tokens), label)
        loss.backward()
        opt.step()
    model.eval()
    hits = 0
    with torch.no_grad():
        for tokens, label in test:
            hits += (model(tokens.to(device)).argmax(1) == label.to(device)).sum().item()
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {hits / 150:.3f}")
