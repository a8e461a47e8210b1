"""Fine-tuning: the head is swapped after the optimizer has been told what to train."""
import torch
from torch import nn


class Pretrained(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(12, 48), nn.ReLU())
        self.fc = nn.Linear(48, 100)

    def forward(self, x):
        return self.fc(self.features(x))


torch.manual_seed(0)
x = torch.randn(320, 12)
y = x[:, :5].argmax(1)
net = Pretrained()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
net.fc = nn.Linear(48, 5)
for epoch in range(5):
    net.train()
    for i in torch.randperm(320).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
