"""The usual CNN, whose epoch line divides by the number of batches; the last batch has two images."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
import torchvision.transforms as transforms

torch.manual_seed(0)
full = torchvision.datasets.MNIST("./data", train=True, download=True, transform=transforms.ToTensor())
trainloader = torch.utils.data.DataLoader(torch.utils.data.Subset(full, range(202)), batch_size=100, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 5, stride=2)
        self.fc = nn.Linear(864, 10)

    def forward(self, x):
        return self.fc(torch.flatten(F.relu(self.conv(x)), 1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(5):
    running_loss = 0.0
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f'epoch {epoch + 1} loss: {running_loss / len(trainloader):.4f}')
