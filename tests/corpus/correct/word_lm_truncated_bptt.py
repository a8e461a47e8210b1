"""Word language model: hidden state detached between chunks, gradients clipped, lr annealed, by-hand SGD."""
import math
import time

import torch
import torch.nn as nn

torch.manual_seed(1111)
ntokens, bptt, batch_size = 20, 10, 8


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, nlayers, dropout=0.2):
        super(RNNModel, self).__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        self.nhid, self.nlayers = nhid, nlayers
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output)).view(-1, ntokens)
        return nn.functional.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (weight.new_zeros(self.nlayers, bsz, self.nhid),
                weight.new_zeros(self.nlayers, bsz, self.nhid))


def corpus(n):
    out, w = [], 0
    for _ in range(n):
        w = (w * 3 + 1 + int(torch.rand(()) < 0.2)) % ntokens
        out.append(w)
    return torch.tensor(out)


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()


def repackage_hidden(h):
    """Wraps hidden states in new tensors, to cut them from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def get_batch(source, i):
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i:i + seq_len], source[i + 1:i + 1 + seq_len].view(-1)


train_data, val_data = batchify(corpus(2400), batch_size), batchify(corpus(400), batch_size)
model = RNNModel(ntokens, 24, 32, 2)
criterion = nn.NLLLoss()
lr, best_val_loss = 5.0, None


def evaluate(source):
    model.eval()
    total = 0.
    hidden = model.init_hidden(batch_size)
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            hidden = repackage_hidden(hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def train():
    model.train()
    hidden = model.init_hidden(batch_size)
    for batch, i in enumerate(range(0, train_data.size(0) - 1, bptt)):
        data, targets = get_batch(train_data, i)
        model.zero_grad()
        hidden = repackage_hidden(hidden)
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)


for epoch in range(1, 5):
    start = time.time()
    train()
    val_loss = evaluate(val_data)
    print('| epoch {:2d} | {:4.1f}s | valid loss {:5.2f} | ppl {:6.2f}'.format(
        epoch, time.time() - start, val_loss, math.exp(val_loss)))
    if not best_val_loss or val_loss < best_val_loss:
        torch.save(model.state_dict(), 'lm.pt')
        best_val_loss = val_loss
    else:
        lr /= 4.0
model.load_state_dict(torch.load('lm.pt', weights_only=True))
print('test', evaluate(val_data))
