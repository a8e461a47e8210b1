"""Reverse a sequence with an encoder and a decoder, two optimizers, teacher forcing half of the time."""
import random

import torch
import torch.nn as nn
from torch import optim
import torch.nn.functional as F

torch.manual_seed(0)
random.seed(0)
SOS, EOS, V, LEN = 0, 1, 10, 4


class EncoderRNN(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(V, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return self.gru(self.dropout(self.embedding(x)))


class DecoderRNN(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(V, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, V)

    def forward(self, enc_hidden, target=None):
        inp = torch.full((enc_hidden.size(1), 1), SOS)
        hidden, outputs = enc_hidden, []
        for t in range(LEN + 1):
            o, hidden = self.gru(F.relu(self.embedding(inp)), hidden)
            logits = self.out(o)
            outputs.append(logits)
            if target is not None:
                inp = target[:, t:t + 1]
            else:
                inp = logits.topk(1)[1].squeeze(-1).detach()
        return F.log_softmax(torch.cat(outputs, dim=1), dim=-1)


def pair(n):
    x = torch.randint(2, V, (n, LEN))
    return x, torch.cat([x.flip(1), torch.full((n, 1), EOS)], 1)


def train_epoch(encoder, decoder, eo, do, criterion):
    total = 0.0
    encoder.train()
    decoder.train()
    for _ in range(20):
        x, y = pair(32)
        eo.zero_grad()
        do.zero_grad()
        _, h = encoder(x)
        out = decoder(h, y if random.random() < 0.5 else None)
        loss = criterion(out.view(-1, out.size(-1)), y.reshape(-1))
        loss.backward()
        eo.step()
        do.step()
        total += loss.item()
    return total / 20


encoder, decoder = EncoderRNN(48), DecoderRNN(48)
eo = optim.Adam(encoder.parameters(), lr=5e-3)
do = optim.Adam(decoder.parameters(), lr=5e-3)
for epoch in range(4):
    print(epoch, train_epoch(encoder, decoder, eo, do, nn.NLLLoss()))
encoder.eval()
decoder.eval()
with torch.no_grad():
    x, y = pair(64)
    print("token accuracy", (decoder(encoder(x)[1]).argmax(-1) == y).float().mean().item())
