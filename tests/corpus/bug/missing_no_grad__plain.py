import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.ToTensor()
train_dl = DataLoader(datasets.FashionMNIST("data", True, tf, download=True), batch_size=100, shuffle=True)
test_dl = DataLoader(datasets.FashionMNIST("data", False, tf, download=True), batch_size=100)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    model.train()
    for x, y in train_dl:
        opt.zero_grad()
        loss_fn(model(x), y).backward()
        opt.step()
    model.eval()
    correct, loss_sum = 0, 0.0
    for x, y in test_dl:
        out = model(x)
        loss_sum += loss_fn(out, y).item() * len(x)
        correct += (out.argmax(1) == y).sum().item()
    n = len(test_dl.dataset)
    print(epoch, loss_sum / n, correct / n)
