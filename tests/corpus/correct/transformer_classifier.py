import torch, torch.nn as nn
torch.manual_seed(0)
class T(nn.Module):
    def __init__(s, v=20, d=16, c=2):
        super().__init__(); s.e = nn.Embedding(v, d, padding_idx=0); s.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 2, 32, 0.1, batch_first=True), 1, enable_nested_tensor=False); s.f = nn.Linear(d, c)
    def forward(s, x):
        m = x == 0; h = s.enc(s.e(x), src_key_padding_mask=m); return s.f(h.masked_fill(m.unsqueeze(-1), 0).sum(1) / (~m).sum(1, keepdim=True))
def collate(b):
    xs, ys = zip(*b); return nn.utils.rnn.pad_sequence(xs, batch_first=True), torch.tensor(ys)
data = []
for _ in range(240):
    x = torch.randint(1, 20, (int(torch.randint(4, 10, ())),)); data.append((x, int((x > 10).sum() * 2 > len(x))))
tl = torch.utils.data.DataLoader(data[:200], 20, shuffle=True, collate_fn=collate); vl = torch.utils.data.DataLoader(data[200:], 20, collate_fn=collate)
m = T(); opt = torch.optim.AdamW(m.parameters(), 3e-3); W = 10
sch = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1., (s + 1) / W))
for e in range(3):
    m.train()
    for a, b in tl: opt.zero_grad(); nn.functional.cross_entropy(m(a), b).backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.); opt.step(); sch.step()
    m.eval(); c = 0
    with torch.no_grad():
        for a, b in vl: c += (m(a).argmax(1) == b).sum().item()
    print(e, c / 40)
