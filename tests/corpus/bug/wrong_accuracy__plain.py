import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.ToTensor()
train_loader = DataLoader(datasets.MNIST("data", True, tf, download=True), batch_size=64, shuffle=True)
test_loader = DataLoader(datasets.MNIST("data", False, tf, download=True), batch_size=64)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in test_loader:
            correct += (model(x).argmax(1) == y).sum().item()
    accuracy = correct / len(test_loader)
    print(f"epoch {epoch}: accuracy {accuracy:.4f}")
