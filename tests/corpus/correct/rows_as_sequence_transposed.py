"""Image rows through an RNN that wants time first: a real transpose, so no rows are mixed."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class RowReader(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.rnn = nn.GRU(input_size=28, hidden_size=hidden)
        self.fc = nn.Linear(hidden, 10)

    def forward(self, images):
        rows = images.squeeze(1).transpose(0, 1)       # (28, N, 28)
        _, h = self.rnn(rows)
        return self.fc(h[-1])


torch.manual_seed(0)
tf = transforms.ToTensor()
train_loader = DataLoader(datasets.FashionMNIST("data", True, tf, download=True), 50, shuffle=True)
test_loader = DataLoader(datasets.FashionMNIST("data", False, tf, download=True), 50)
net, loss_func = RowReader(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(2):
    net.train()
    for step, (b_x, b_y) in enumerate(train_loader):
        output = net(b_x)
        loss = loss_func(output, b_y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(net.parameters(), 0.5)
        optimizer.step()
    net.eval()
    with torch.no_grad():
        acc = torch.cat([net(x).argmax(1).eq(y) for x, y in test_loader]).float().mean()
    print('Epoch:', epoch, '| train loss: %.4f' % loss.item(), '| test accuracy: %.2f' % acc)
