"""Test-time augmentation on purpose: predictions averaged over shifted copies."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
train_tf = transforms.Compose([transforms.RandomAffine(0, translate=(0.1, 0.1)), transforms.ToTensor()])
train_ds = datasets.MNIST("data", train=True, download=True, transform=train_tf)
test_ds = datasets.MNIST("data", train=False, download=True, transform=transforms.ToTensor())
train_dl = DataLoader(torch.utils.data.Subset(train_ds, range(500)), batch_size=50, shuffle=True)
test_dl = DataLoader(torch.utils.data.Subset(test_ds, range(150)), batch_size=50)
model = nn.Sequential(nn.Conv2d(1, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 16, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)


def tta_predict(model, images, n=5):
    """Mean of the class probabilities over the image and n random shifts of it."""
    probs = model(images).softmax(1)
    for _ in range(n):
        dx, dy = torch.randint(-2, 3, (2,)).tolist()
        probs = probs + model(images.roll((dy, dx), dims=(2, 3))).softmax(1)
    return probs / (n + 1)


for epoch in range(3):
    model.train()
    for images, labels in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        opt.step()
model.eval()
plain = tta = 0
with torch.no_grad():
    for images, labels in test_dl:
        plain += (model(images).argmax(1) == labels).sum().item()
        tta += (tta_predict(model, images).argmax(1) == labels).sum().item()
print("plain", plain / 150, "with augmentation", tta / 150)
