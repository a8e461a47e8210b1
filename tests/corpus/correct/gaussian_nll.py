import torch, torch.nn as nn
torch.manual_seed(0)
class Het(nn.Module):
    def __init__(s):
        super().__init__(); s.body = nn.Sequential(nn.Linear(1, 32), nn.Tanh()); s.mu = nn.Linear(32, 1); s.lv = nn.Linear(32, 1)
    def forward(s, x):
        h = s.body(x); return s.mu(h), torch.exp(s.lv(h))
x = torch.rand(256, 1) * 6 - 3; y = torch.sin(x) + 0.1 * x.abs() * torch.randn_like(x)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32, shuffle=True)
m = Het(); crit = nn.GaussianNLLLoss(); opt = torch.optim.Adam(m.parameters(), 5e-3)
for ep in range(5):
    tot = 0.
    for a, b in dl:
        mu, var = m(a); loss = crit(mu, b, var); opt.zero_grad(); loss.backward(); opt.step(); tot += loss.item() * len(a)
    print(ep, tot / len(x))
