"""OneCycleLR, stepped after every batch, as it is meant to be."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms as T

torch.manual_seed(0)
root = "./data"
tf = T.Compose([T.ToTensor(), T.Normalize(0.2860, 0.3530)])
train_loader = DataLoader(datasets.FashionMNIST(root, True, tf, download=True), batch_size=128, shuffle=True, drop_last=True)
test_loader = DataLoader(datasets.FashionMNIST(root, False, tf, download=True), batch_size=256)
EPOCHS = 3
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.2), nn.Linear(100, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, epochs=EPOCHS, steps_per_epoch=len(train_loader))

for epoch in range(EPOCHS):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in test_loader:
            correct += (model(images).argmax(dim=1) == labels).sum().item()
    print(f"epoch {epoch}: lr {scheduler.get_last_lr()[0]:.5f}, accuracy {correct / len(test_loader.dataset):.4f}")
