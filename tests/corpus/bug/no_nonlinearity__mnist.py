import torch, torch.nn as nn
from torchvision import datasets, transforms
torch.manual_seed(0)
class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 32)
        self.fc2 = nn.Linear(32, 32)
        self.fc3 = nn.Linear(32, 10)
    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = self.fc1(x)
        x = self.fc2(x)
        return self.fc3(x)
dl = torch.utils.data.DataLoader(datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor()), 100, shuffle=True)
model = MLP(); opt = torch.optim.Adam(model.parameters(), lr=1e-3); crit = nn.CrossEntropyLoss()
for ep in range(2):
    for x, y in dl:
        opt.zero_grad(); loss = crit(model(x), y); loss.backward(); opt.step()
    print(ep, loss.item())
