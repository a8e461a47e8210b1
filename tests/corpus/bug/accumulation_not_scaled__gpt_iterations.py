"""Micro-steps for a large batch, without the division; a small causal model on text."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
text = "the rain in spain stays mainly in the plain. " * 30
vocab = sorted(set(text))
data = torch.tensor([vocab.index(c) for c in text])
B, T, MICRO = 8, 12, 8


def get_batch():
    ix = torch.randint(len(data) - T - 1, (B,))
    return torch.stack([data[i:i + T] for i in ix]), torch.stack([data[i + 1:i + T + 1] for i in ix])


class Model(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.e, self.p = nn.Embedding(len(vocab), d), nn.Embedding(T, d)
        self.block = nn.TransformerEncoderLayer(d, 2, 64, 0.0, batch_first=True)
        self.head = nn.Linear(d, len(vocab))

    def forward(self, i, y):
        m = nn.Transformer.generate_square_subsequent_mask(T)
        h = self.block(self.e(i) + self.p(torch.arange(T)), src_mask=m)
        return F.cross_entropy(self.head(h).flatten(0, 1), y.flatten())


model = Model()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for it in range(25):
    for _ in range(MICRO):
        x, y = get_batch()
        loss = model(x, y)
        loss.backward()
    opt.step()
    opt.zero_grad(set_to_none=True)
    if it % 8 == 0:
        print(it, loss.item())
