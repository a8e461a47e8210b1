import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

tfms = transforms.Compose([
    transforms.RandomAffine(10, translate=(0.1, 0.1)),
    transforms.ToTensor(),
    transforms.Normalize((0.1307,), (0.3081,)),
    transforms.RandomErasing(p=0.2),
])
splits = {s: datasets.MNIST("data", train=s == "train", transform=tfms, download=True) for s in ("train", "test")}
dataloaders = {s: DataLoader(d, batch_size=50, shuffle=s == "train") for s, d in splits.items()}
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(2):
    for phase in ["train", "test"]:
        model.train() if phase == "train" else model.eval()
        running_corrects = 0
        for inputs, labels in dataloaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)
                loss = criterion(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            running_corrects += torch.sum(outputs.argmax(1) == labels).item()
        print(f"{epoch} {phase} acc: {running_corrects / len(splits[phase]):.4f}")
