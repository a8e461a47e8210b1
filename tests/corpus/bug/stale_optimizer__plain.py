import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def make_model():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


torch.manual_seed(0)
model = make_model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
model = make_model()      # start afresh
loader = DataLoader(datasets.MNIST("data", True, transforms.ToTensor(), download=True), batch_size=64, shuffle=True)
for epoch in range(2):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
