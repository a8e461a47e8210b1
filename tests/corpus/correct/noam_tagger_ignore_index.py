"""Sequence tagging with a transformer encoder, padding masks and the Noam schedule."""
import math
import random

import torch
from torch import nn

PAD, IGNORE = 0, -100
random.seed(5)
torch.manual_seed(5)


def sentence():
    """Tag of a token: its own parity plus that of its left neighbour (three tags)."""
    toks = [random.randint(1, 19) for _ in range(random.randint(4, 10))]
    tags = [(a % 2) + (b % 2) for a, b in zip(toks, [0] + toks[:-1])]
    return toks, tags


def batchify(pairs):
    width = max(len(t) for t, _ in pairs)
    src = torch.tensor([t + [PAD] * (width - len(t)) for t, _ in pairs])
    tgt = torch.tensor([g + [IGNORE] * (width - len(g)) for _, g in pairs])
    return src, tgt


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.05, max_len=64):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div)
        pe[0, :, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return self.dropout(x + self.pe[:, : x.size(1)])


class Tagger(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.d = d
        self.embed = nn.Embedding(20, d, padding_idx=PAD)
        self.pos = PositionalEncoding(d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.05, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(d, 3)

    def forward(self, src):
        h = self.pos(self.embed(src) * math.sqrt(self.d))
        return self.out(self.enc(h, src_key_padding_mask=src == PAD))


train, dev = [sentence() for _ in range(1280)], [sentence() for _ in range(200)]
model, criterion = Tagger(), nn.CrossEntropyLoss(ignore_index=IGNORE)
optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: 32**-0.5 * min((step + 1) ** -0.5, (step + 1) * 60**-1.5) * 0.1
)
for epoch in range(8):
    model.train()
    random.shuffle(train)
    for i in range(0, len(train), 64):
        src, tgt = batchify(train[i : i + 64])
        loss = criterion(model(src).view(-1, 3), tgt.view(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for i in range(0, len(dev), 64):
            src, tgt = batchify(dev[i : i + 64])
            keep = tgt != IGNORE
            hits += (model(src).argmax(-1)[keep] == tgt[keep]).sum().item()
            total += keep.sum().item()
    print(f"epoch {epoch} train loss {loss.item():.3f} dev token accuracy {hits / total:.3f} lr {scheduler.get_last_lr()[0]:.2e}")
