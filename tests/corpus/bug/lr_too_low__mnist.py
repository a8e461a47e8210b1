import torch, torch.nn as nn
from torchvision import datasets, transforms
torch.manual_seed(0)
dl = torch.utils.data.DataLoader(datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor()), batch_size=64, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-7)
crit = nn.CrossEntropyLoss()
for epoch in range(2):
    for x, y in dl:
        optimizer.zero_grad()
        loss = crit(model(x), y)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
