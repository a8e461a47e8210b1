import torch, torch.nn as nn
from torchvision import datasets, transforms
from torch.utils.data import DataLoader, Subset
torch.manual_seed(0)
transform = transforms.Compose([
    transforms.RandomRotation(15),
    transforms.RandomCrop(28, padding=2),
    transforms.ToTensor(),
])
trainset = Subset(datasets.MNIST("data", train=True, download=True, transform=transform), range(500))
testset = Subset(datasets.MNIST("data", train=False, download=True, transform=transform), range(200))
trainloader = DataLoader(trainset, batch_size=50, shuffle=True)
testloader = DataLoader(testset, batch_size=100, shuffle=False)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters())
crit = nn.CrossEntropyLoss()
for epoch in range(2):
    net.train()
    for x, y in trainloader:
        opt.zero_grad()
        loss = crit(net(x), y)
        loss.backward()
        opt.step()
    net.eval()
    correct = 0
    with torch.no_grad():
        for x, y in testloader:
            correct += (net(x).argmax(1) == y).sum().item()
    print(epoch, correct / len(testset))
