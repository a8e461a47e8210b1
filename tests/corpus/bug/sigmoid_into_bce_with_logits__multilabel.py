"""Multi-label tags; the model returns probabilities for the sake of the threshold below."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Tagger(nn.Module):
    def __init__(self, d, tags):
        super().__init__()
        self.hidden = nn.Linear(d, 48)
        self.out = nn.Linear(48, tags)

    def forward(self, x):
        return torch.sigmoid(self.out(F.relu(self.hidden(x))))


torch.manual_seed(0)
x = torch.randn(450, 12)
t = (x @ torch.randn(12, 5) > 0.5).float()
train, test = DataLoader(TensorDataset(x[:360], t[:360]), 36, shuffle=True), DataLoader(TensorDataset(x[360:], t[360:]), 90)
net = Tagger(12, 5)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(5):
    net.train()
    for xb, tb in train:
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(xb), tb)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        agree = torch.cat([((net(xb) > 0.5).float() == tb) for xb, tb in test]).float().mean()
    print(epoch, loss.item(), agree.item())
