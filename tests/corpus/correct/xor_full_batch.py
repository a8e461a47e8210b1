import torch
import torch.nn as nn

# XOR: four points, all of them in each step
X = torch.tensor([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
Y = torch.tensor([[0.], [1.], [1.], [0.]])
torch.manual_seed(5)


class XOR(nn.Module):
    def __init__(self):
        super(XOR, self).__init__()
        self.hidden = nn.Linear(2, 8)
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        return torch.sigmoid(self.out(x))


model = XOR()
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
criterion = nn.BCELoss()
for i in range(400):
    optimizer.zero_grad()
    out = model(X)
    loss = criterion(out, Y)
    loss.backward()
    optimizer.step()
    if i % 100 == 0:
        print('step', i, 'loss', loss.item())
with torch.no_grad():
    print(model(X).round().flatten().tolist())
