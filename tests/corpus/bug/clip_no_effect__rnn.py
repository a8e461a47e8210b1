import torch, torch.nn as nn
torch.manual_seed(0)
class RNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 16, batch_first=True)
        self.out = nn.Linear(16, 1)
    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h)
t = torch.linspace(0, 30, 601)
s = torch.sin(t)
xs = torch.stack([s[i:i+20] for i in range(0, 560, 5)]).unsqueeze(-1)
ys = torch.stack([s[i+1:i+21] for i in range(0, 560, 5)]).unsqueeze(-1)
model = RNN(); opt = torch.optim.Adam(model.parameters(), lr=5e-3)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(xs, ys), 16, shuffle=True)
for ep in range(3):
    for x, y in dl:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    print(ep, loss.item())
