"""Assignment 6: a classifier for Fashion-MNIST, line by line."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(1)

# the network
net = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 256),
    nn.ReLU(),
    nn.Linear(256, 10),
)


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, mean=0, std=0.01)
        nn.init.zeros_(m.bias)


net.apply(init_weights)

# the data
to_tensor = transforms.ToTensor()
train_set = datasets.FashionMNIST("data", train=True, transform=to_tensor, download=True)
test_set = datasets.FashionMNIST("data", train=False, transform=to_tensor, download=True)
train_iter = DataLoader(train_set, batch_size=256, shuffle=True)
test_iter = DataLoader(test_set, batch_size=256, shuffle=False)

# ten epochs
loss = nn.CrossEntropyLoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(10):
    losses = []
    for X, y in train_iter:
        trainer.zero_grad()
        y_hat = net(X)
        l = loss(y_hat, y)
        l.backward()
        trainer.step()
        losses.append(l)
    print(f"epoch {epoch + 1}, loss {sum(losses) / len(losses):.3f}")

# the measure
net.eval()
correct, total = 0, 0
with torch.no_grad():
    for X, y in test_iter:
        correct += (net(X).argmax(dim=1) == y).sum().item()
        total += y.numel()
print("test accuracy:", correct / total)
