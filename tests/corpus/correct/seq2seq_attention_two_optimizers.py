"""Sequence to sequence with attention, teacher forcing, packed batches and two optimizers."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

random.seed(0)
torch.manual_seed(0)
PAD, SOS, EOS, VOCAB = 0, 1, 2, 12
pairs = []
for _ in range(300):
    word = [random.randrange(3, VOCAB) for _ in range(random.randint(2, 6))]
    pairs.append((torch.tensor(word + [EOS]), torch.tensor(word[::-1] + [EOS])))
train_pairs, test_pairs = pairs[:260], pairs[260:]


class Encoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, hidden, padding_idx=PAD)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
        out, hidden = self.gru(packed)
        return pad_packed_sequence(out, batch_first=True)[0], hidden


class AttnDecoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, hidden)
        self.attn = nn.Linear(hidden, hidden, bias=False)
        self.gru = nn.GRU(2 * hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, VOCAB)

    def forward(self, token, hidden, memory, mask):
        embedded = self.embedding(token)
        scores = (self.attn(memory) * hidden[-1].unsqueeze(1)).sum(-1).masked_fill(~mask, -1e9)
        context = (scores.softmax(-1).unsqueeze(1) @ memory)
        output, hidden = self.gru(torch.cat([embedded, context], -1), hidden)
        return self.out(output.squeeze(1)), hidden


encoder, decoder = Encoder(32), AttnDecoder(32)
encoder_optimizer, decoder_optimizer = optim.Adam(encoder.parameters(), lr=5e-3), optim.Adam(decoder.parameters(), lr=5e-3)


def run(batch, forcing):
    xs, ys = zip(*batch)
    lengths = torch.tensor([len(x) for x in xs])
    x, y = pad_sequence(xs, batch_first=True), pad_sequence(ys, batch_first=True)
    memory, hidden = encoder(x, lengths)
    mask = torch.arange(memory.size(1))[None] < lengths[:, None]
    token, logits = torch.full((len(batch), 1), SOS), []
    for t in range(y.size(1)):
        step, hidden = decoder(token, hidden, memory, mask)
        logits.append(step)
        token = y[:, t:t + 1] if random.random() < forcing else step.detach().argmax(-1, keepdim=True)
    return torch.stack(logits, 1), y


for epoch in range(4):
    random.shuffle(train_pairs)
    encoder.train(), decoder.train()
    loss_total = 0
    for i in range(0, len(train_pairs), 26):
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        logits, y = run(train_pairs[i:i + 26], forcing=0.7)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=PAD)
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        encoder_optimizer.step()
        decoder_optimizer.step()
        loss_total += loss.item()
    encoder.eval(), decoder.eval()
    with torch.no_grad():
        logits, y = run(test_pairs, forcing=0.0)
        right = ((logits.argmax(-1) == y) | (y == PAD)).all(1).float().mean().item()
    print(f"epoch {epoch}: loss {loss_total / 10:.3f}, whole words right {right:.2f}")
