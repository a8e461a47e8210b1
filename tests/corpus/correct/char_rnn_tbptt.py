import torch, torch.nn as nn
torch.manual_seed(0)
text = "the quick brown fox jumps over the lazy dog. " * 20
chars = sorted(set(text)); ix = {c: i for i, c in enumerate(chars)}
ids = torch.tensor([ix[c] for c in text])
B, T = 4, 15
n = len(ids) // B
data = ids[: n * B].view(B, n).t().contiguous()
class LM(nn.Module):
    def __init__(self, v, h):
        super().__init__()
        self.e = nn.Embedding(v, h); self.d = nn.Dropout(0.1); self.r = nn.LSTM(h, h); self.o = nn.Linear(h, v)
    def forward(self, x, hid):
        y, hid = self.r(self.d(self.e(x)), hid)
        return self.o(self.d(y)), hid
    def init_hidden(self, b):
        w = next(self.parameters())
        return w.new_zeros(1, b, self.r.hidden_size), w.new_zeros(1, b, self.r.hidden_size)
def repackage(h):
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage(v) for v in h)
model = LM(len(chars), 24); lr = 5.0; crit = nn.CrossEntropyLoss()
for epoch in range(2):
    model.train(); total = 0.; hidden = model.init_hidden(B); k = 0
    for i in range(0, data.size(0) - 1, T):
        L = min(T, data.size(0) - 1 - i)
        x, y = data[i:i+L], data[i+1:i+1+L].reshape(-1)
        model.zero_grad()
        hidden = repackage(hidden)
        out, hidden = model(x, hidden)
        loss = crit(out.view(-1, len(chars)), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-lr)
        total += loss.item(); k += 1
    print(epoch, total / k)
model.eval()
with torch.no_grad():
    h = model.init_hidden(1); c = torch.zeros(1, 1, dtype=torch.long); s = ""
    for _ in range(20):
        o, h = model(c, h)
        c = torch.multinomial(o.squeeze().softmax(-1), 1).view(1, 1)
        s += chars[c.item()]
print(s)
