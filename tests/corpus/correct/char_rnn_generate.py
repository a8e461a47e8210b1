"""Generate text one character at a time: the loss summed over a line before one backward."""
import torch
from torch import nn

torch.manual_seed(0)
text = ["the cat sat", "the dog ran", "a cat ran", "a dog sat", "the cat ran"]
vocab = sorted(set("".join(text))) + ["<e>"]
ix = {c: i for i, c in enumerate(vocab)}


class Gen(nn.Module):
    def __init__(self, n, hidden):
        super().__init__()
        self.emb = nn.Embedding(n, 12)
        self.cell = nn.GRUCell(12, hidden)
        self.out = nn.Linear(hidden, n)
        self.hidden = hidden

    def forward(self, ch, h):
        h = self.cell(self.emb(ch), h)
        return self.out(h), h


net = Gen(len(vocab), 32)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
ce = nn.CrossEntropyLoss()
for step in range(150):
    line = text[int(torch.randint(len(text), ()))]
    ids = [ix[c] for c in line] + [ix["<e>"]]
    h = torch.zeros(1, net.hidden)
    opt.zero_grad()
    loss = torch.zeros(())
    for a, b in zip(ids[:-1], ids[1:]):
        logits, h = net(torch.tensor([a]), h)
        loss = loss + ce(logits, torch.tensor([b]))
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, loss.item() / (len(ids) - 1))


@torch.no_grad()
def sample(start, limit=20):
    out, h, ch = start, torch.zeros(1, net.hidden), ix[start]
    for _ in range(limit):
        logits, h = net(torch.tensor([ch]), h)
        ch = torch.distributions.Categorical(logits=logits).sample().item()
        if vocab[ch] == "<e>":
            break
        out += vocab[ch]
    return out


print(sample("t"), "|", sample("a"))
