import torch
from schedule_and_resume import load_checkpoint, make_scheduler, save_checkpoint, train_epoch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

data = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())


def begin():
    torch.manual_seed(0)
    loader = DataLoader(data, batch_size=64, shuffle=True)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return loader, model, optimizer, make_scheduler("one-cycle", optimizer, 4, len(loader))


loader, model, optimizer, scheduler = begin()
for _ in range(2):
    train_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, scheduler, True)
save_checkpoint("half.pt", model, optimizer, scheduler, 2)

loader, model, optimizer, scheduler = begin()
load_checkpoint("half.pt", model, optimizer, scheduler)
for _ in range(2):
    train_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, scheduler, True)
