import torch, torch.nn as nn
torch.manual_seed(0)
# LoRA on a linear layer: W x + B A x
class LoRA(nn.Module):
    def __init__(s, base, r=2):
        super().__init__(); s.base = base; s.A = nn.Linear(base.in_features, r, bias=False); s.B = nn.Linear(r, base.out_features, bias=False); nn.init.zeros_(s.B.weight)
        for p in s.base.parameters(): p.requires_grad = False
    def forward(s, x): return s.base(x) + s.B(s.A(x))
m = nn.Sequential(LoRA(nn.Linear(8, 16)), nn.ReLU(), LoRA(nn.Linear(16, 1))); X = torch.randn(200, 8); y = X.sum(1, keepdim=True)
o = torch.optim.Adam([p for p in m.parameters() if p.requires_grad], 1e-2)
for e in range(5):
    for i in torch.randperm(200).split(20): o.zero_grad(); l = nn.functional.mse_loss(m(X[i]), y[i]); l.backward(); o.step()
    print(e, l.item())
