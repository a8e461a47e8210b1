import torch
import torch.nn as nn
import torch.nn.functional as F

class ConvNet(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, 3, padding=1)
        self.c2 = nn.Conv2d(8, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(8 * 4 * 4, n)
        self.softmax = nn.Softmax(dim=1)
    def forward(self, x):
        x = self.pool(F.relu(self.c1(x)))
        x = self.pool(F.relu(self.c2(x)))
        x = x.flatten(1)
        return self.softmax(self.fc(x))

def main():
    torch.manual_seed(7)
    imgs = torch.randn(128, 3, 16, 16)
    labels = torch.randint(0, 4, (128,))
    for k in range(4):
        imgs[labels == k, :, k * 4:(k + 1) * 4] += 1.0
    ds = torch.utils.data.TensorDataset(imgs, labels)
    dl = torch.utils.data.DataLoader(ds, 16, shuffle=True)
    net = ConvNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for ep in range(3):
        for x, y in dl:
            opt.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            opt.step()
        print(ep, loss.item())

main()
