import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(320, 6)
y = X[:, :3].argmax(1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(6, 32)
        self.l2 = nn.Linear(32, 3)

    def forward(self, x):
        return F.softmax(self.l2(F.relu(self.l1(x))), dim=1)


model = Classifier()
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(5):
    for i in torch.randperm(320).split(32):
        opt.zero_grad()
        loss = F.nll_loss(model(X[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
