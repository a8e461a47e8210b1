"""Masked tokens: 15 per cent are hidden anew for each batch, the rest are ignored by the loss (-100)."""
import torch
from torch import nn

torch.manual_seed(0)
V, MASK, L = 14, 13, 10


def sentences(n):
    return (torch.randint(12, (n, 1)) + torch.arange(L)) % 12


def mask_tokens(inputs, p=0.2):
    labels = inputs.clone()
    hidden = torch.rand(labels.shape) < p
    labels[~hidden] = -100
    inputs = inputs.masked_fill(hidden & (torch.rand(labels.shape) < 0.8), MASK)
    return inputs, labels


class MLM(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb, self.pos = nn.Embedding(V, d), nn.Parameter(torch.zeros(L, d))
        self.enc = nn.TransformerEncoderLayer(d, 4, 64, 0.1, batch_first=True)
        self.head = nn.Linear(d, V)

    def forward(self, x):
        return self.head(self.enc(self.emb(x) + self.pos))


net, lossf = MLM(), nn.CrossEntropyLoss(ignore_index=-100)
opt = torch.optim.AdamW(net.parameters(), 5e-3)
held = mask_tokens(sentences(64))
for epoch in range(5):
    net.train()
    for _ in range(20):
        x, y = mask_tokens(sentences(32))
        loss = lossf(net(x).transpose(1, 2), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        x, y = held
        keep = y != -100
        print(epoch, loss.item(), (net(x).argmax(-1)[keep] == y[keep]).float().mean().item())
