import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.datasets as datasets
import torchvision.transforms as T
from torch.utils.data import DataLoader

transform = T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,))])
train_ds = datasets.FashionMNIST(root="./dataset", train=True, transform=transform, download=True)
val_ds = datasets.FashionMNIST(root="./dataset", train=False, transform=transform, download=True)


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(16 * 36, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.drop(F.relu(self.conv2(x)))
        return self.fc(x.flatten(1))


def check_accuracy(loader, model):
    num_correct, num_samples = 0, 0
    with torch.no_grad():
        for x, y in loader:
            num_correct += (model(x).argmax(1) == y).sum().item()
            num_samples += y.size(0)
    return num_correct / num_samples


model = CNN().train()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
train_loader = DataLoader(train_ds, batch_size=64, shuffle=True)
val_loader = DataLoader(val_ds, batch_size=64)
for epoch in range(2):
    for data, targets in train_loader:
        scores = model(data)
        loss = F.cross_entropy(scores, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: val {check_accuracy(val_loader, model):.3f}")
