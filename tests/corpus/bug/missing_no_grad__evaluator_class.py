import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Evaluator:
    def __init__(self, loader):
        self.loader = loader

    def __call__(self, model):
        was_training = model.training
        model.eval()
        abs_err, n = 0.0, 0
        for x, y in self.loader:
            abs_err += (model(x) - y).abs().sum().item()
            n += len(y)
        model.train(was_training)
        return abs_err / n


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.gru(x)[0][:, -1])


t = torch.rand(700, 1) * 6
seq = torch.sin(t + torch.arange(13) * 0.4).unsqueeze(-1) + 0.02 * torch.randn(700, 13, 1)
ds = TensorDataset(seq[:, :12], seq[:, 12])
train, val = torch.utils.data.random_split(ds, [500, 200])
loader, evaluate = DataLoader(train, 25, shuffle=True), Evaluator(DataLoader(val, 50))
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(5):
    for x, y in loader:
        opt.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        opt.step()
    print(epoch, "val MAE", evaluate(net))
