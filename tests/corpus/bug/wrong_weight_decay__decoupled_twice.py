"""AdamW decays the weights; the loop decays them once more by hand."""
import torch
from torch import nn


class DecayingTrainer:
    def __init__(self, net, lr=5e-3, decay=0.1):
        self.net, self.lr, self.decay = net, lr, decay
        self.opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay)

    def update(self, loss):
        self.opt.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in self.net.parameters():
                p.mul_(1 - self.lr * self.decay)
        self.opt.step()


torch.manual_seed(0)
x = torch.randn(250, 5)
y = x[:, :1].sin() + x[:, 1:2]
net = nn.Sequential(nn.Linear(5, 40), nn.ReLU(), nn.Linear(40, 1))
trainer = DecayingTrainer(net)
for epoch in range(6):
    for i in torch.randperm(250).split(25):
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        trainer.update(loss)
    print(epoch, loss.item(), sum(p.norm().item() for p in net.parameters()))
