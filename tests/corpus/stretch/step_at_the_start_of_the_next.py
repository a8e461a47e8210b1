"""The step of a batch is taken at the start of the next one, and once more after the last."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(320, 8)
y = x[:, :3].argmax(1)
net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(5):
    for i in torch.randperm(320).split(32):
        opt.step()
        opt.zero_grad()
        loss = F.cross_entropy(net(x[i]), y[i])
        loss.backward()
    print(epoch, loss.item())
opt.step()
