"""Images go to the device, labels stay."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
device = torch.device("cuda:0") if torch.cuda.is_available() else torch.device("cpu")
loader = DataLoader(datasets.FashionMNIST("data", True, transforms.ToTensor(), download=True), 64, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
net.to(device)
opt = torch.optim.Adam(net.parameters())


def epoch():
    for images, labels in loader:
        logits = net(images.to(device))
        loss = nn.functional.cross_entropy(logits, labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


for e in range(2):
    print(e, epoch())
