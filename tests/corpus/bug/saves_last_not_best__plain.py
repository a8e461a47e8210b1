import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.ToTensor()
train_loader = DataLoader(datasets.FashionMNIST("data", True, tf, download=True), batch_size=64, shuffle=True)
test_loader = DataLoader(datasets.FashionMNIST("data", False, tf, download=True), batch_size=200)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
criterion = nn.CrossEntropyLoss()
best_acc = 0.0
for epoch in range(6):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(test_loader.dataset)
    if acc > best_acc:
        best_acc = acc
    torch.save(model.state_dict(), "best_model.pt")
    print(epoch, acc, "best so far", best_acc)
print("best accuracy", best_acc)
