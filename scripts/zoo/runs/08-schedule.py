import torch
from schedule_and_resume import make_scheduler, train_epoch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
data = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
loader = DataLoader(data, batch_size=64, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
scheduler = make_scheduler("one-cycle", optimizer, 4, len(loader))
for _ in range(4):
    train_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, scheduler, True)
