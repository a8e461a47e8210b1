import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Pairs(torch.utils.data.Dataset):
    def __init__(s, n): s.c = torch.randn(5, 8) * 2; s.n = n
    def __len__(s): return s.n
    def __getitem__(s, i):
        a = int(torch.randint(5, ())); same = torch.rand(()) < .5
        b = a if same else (a + 1 + int(torch.randint(4, ()))) % 5
        return s.c[a] + torch.randn(8), s.c[b] + torch.randn(8), same.float()
enc = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)); opt = torch.optim.Adam(enc.parameters(), 1e-3)
dl = torch.utils.data.DataLoader(Pairs(320), 32, shuffle=True)
for ep in range(3):
    for a, b, s in dl:
        d = F.pairwise_distance(enc(a), enc(b))
        loss = (s * d ** 2 + (1 - s) * F.relu(1.0 - d) ** 2).mean()
        opt.zero_grad(); loss.backward(); opt.step()
    print(ep, loss.item())
