import random, torch, torch.nn as nn
random.seed(0); torch.manual_seed(0)
V, H = 12, 24
class Enc(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, H); s.g = nn.GRU(H, H, batch_first=True)
    def forward(s, x): return s.g(s.e(x))
class Dec(nn.Module):
    def __init__(s): super().__init__(); s.e = nn.Embedding(V, H); s.g = nn.GRU(2 * H, H, batch_first=True); s.o = nn.Linear(H, V)
    def forward(s, x, h, enc):
        w = torch.softmax(torch.bmm(h.transpose(0, 1), enc.transpose(1, 2)), -1)
        y, h = s.g(torch.cat([s.e(x), torch.bmm(w, enc)], -1), h); return s.o(y), h
enc, dec = Enc(), Dec(); eo, do = torch.optim.Adam(enc.parameters(), 5e-3), torch.optim.Adam(dec.parameters(), 5e-3); ce = nn.CrossEntropyLoss()
for it in range(20):
    x = torch.randint(2, V, (16, 6)); y = x.flip(1)
    eo.zero_grad(); do.zero_grad(); outs, h = enc(x); inp = torch.ones(16, 1, dtype=torch.long); loss = 0; tf = random.random() < .5
    for t in range(6):
        logit, h = dec(inp, h, outs); loss = loss + ce(logit.squeeze(1), y[:, t])
        inp = y[:, t:t+1] if tf else logit.argmax(-1).detach()
    loss.backward(); eo.step(); do.step()
    if it % 5 == 0: print(it, loss.item() / 6)
