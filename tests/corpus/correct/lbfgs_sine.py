import torch, torch.nn as nn, torch.optim as optim
torch.manual_seed(0)
t = torch.arange(0, 40).float() / 4
data = torch.stack([torch.sin(t + s) for s in torch.rand(20) * 6]).double()
inp, tgt = data[3:, :-1], data[3:, 1:]
ti, tt = data[:3, :-1], data[:3, 1:]
class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 10); self.linear = nn.Linear(10, 1)
    def forward(self, x, future=0):
        outs = []; h = torch.zeros(x.size(0), 10, dtype=torch.double); c = torch.zeros_like(h)
        for xt in x.split(1, dim=1):
            h, c = self.lstm1(xt, (h, c)); o = self.linear(h); outs += [o]
        for _ in range(future):
            h, c = self.lstm1(o, (h, c)); o = self.linear(h); outs += [o]
        return torch.cat(outs, dim=1)
seq = Sequence().double(); criterion = nn.MSELoss()
optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=5)
for i in range(3):
    def closure():
        optimizer.zero_grad()
        loss = criterion(seq(inp), tgt)
        loss.backward()
        return loss
    optimizer.step(closure)
    with torch.no_grad():
        pred = seq(ti, future=5)
        print('test loss:', criterion(pred[:, :-5], tt).item())
