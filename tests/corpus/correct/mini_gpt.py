import math, torch, torch.nn as nn
from torch.nn import functional as F
torch.manual_seed(1337)
block, batch = 16, 16
text = "to be or not to be that is the question " * 30
chars = sorted(set(text)); stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text]); n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]
def get_batch(split):
    d = train_data if split == 'train' else val_data
    ix = torch.randint(len(d) - block, (batch,))
    return torch.stack([d[i:i+block] for i in ix]), torch.stack([d[i+1:i+block+1] for i in ix])
class Block(nn.Module):
    def __init__(self, c, h):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(c), nn.LayerNorm(c)
        self.qkv, self.proj, self.h = nn.Linear(c, 3 * c, bias=False), nn.Linear(c, c), h
        self.ff = nn.Sequential(nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, c), nn.Dropout(0.1))
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.h, C // self.h).transpose(1, 2) for t in self.qkv(self.ln1(x)).chunk(3, -1))
        att = (q @ k.transpose(-2, -1)) / math.sqrt(C // self.h)
        att = att.masked_fill(torch.tril(torch.ones(T, T)) == 0, float('-inf')).softmax(-1)
        x = x + self.proj((att @ v).transpose(1, 2).reshape(B, T, C))
        return x + self.ff(self.ln2(x))
class GPT(nn.Module):
    def __init__(self, v, c=32):
        super().__init__()
        self.tok, self.pos = nn.Embedding(v, c), nn.Embedding(block, c)
        self.blocks = nn.Sequential(Block(c, 4), Block(c, 4)); self.ln = nn.LayerNorm(c); self.head = nn.Linear(c, v, bias=False)
        self.head.weight = self.tok.weight
    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.ln(self.blocks(self.tok(idx) + self.pos(torch.arange(T))))
        logits = self.head(x)
        if targets is None: return logits, None
        return logits, F.cross_entropy(logits.view(B * T, -1), targets.view(B * T))
    @torch.no_grad()
    def generate(self, idx, n):
        for _ in range(n):
            logits, _ = self(idx[:, -block:])
            probs = F.softmax(logits[:, -1], dim=-1)
            idx = torch.cat((idx, torch.multinomial(probs, 1)), 1)
        return idx
model = GPT(len(chars))
decay = [p for p in model.parameters() if p.dim() >= 2]; nodecay = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": nodecay, "weight_decay": 0.0}], lr=1e-3)
@torch.no_grad()
def estimate_loss():
    out = {}; model.eval()
    for split in ['train', 'val']:
        losses = torch.zeros(3)
        for k in range(3):
            losses[k] = model(*get_batch(split))[1].item()
        out[split] = losses.mean()
    model.train(); return out
def get_lr(it): return 1e-3 * min(1, (it + 1) / 10)
for it in range(40):
    for g in optimizer.param_groups: g["lr"] = get_lr(it)
    if it % 20 == 0: print(it, estimate_loss())
    xb, yb = get_batch('train')
    logits, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
model.eval()
print(''.join(chars[i] for i in model.generate(torch.zeros((1, 1), dtype=torch.long), 20)[0].tolist()))
