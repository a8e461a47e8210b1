import torch
import torch.nn as nn
import torch.nn.utils.prune as prune
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

# Iterative magnitude pruning with torch.nn.utils.prune: train, prune 40 %, fine-tune, twice; then make it permanent

torch.manual_seed(0)
tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
train_set = datasets.FashionMNIST(root="./data", train=True, transform=tf, download=True)
test_set = datasets.FashionMNIST(root="./data", train=False, transform=tf, download=True)
train_set = torch.utils.data.Subset(train_set, list(range(600)))
test_set = torch.utils.data.Subset(test_set, list(range(200)))
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
test_loader = DataLoader(test_set, batch_size=100, shuffle=False)


class LeNetish(nn.Module):
    def __init__(self):
        super(LeNetish, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc2(torch.relu(self.fc1(x)))


def train(model, epochs, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        for data, target in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(data), target)
            loss.backward()
            optimizer.step()


def test(model):
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            correct += model(data).argmax(dim=1).eq(target).sum().item()
    return 100. * correct / len(test_loader.dataset)


def sparsity(model):
    w = [m.weight for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    return 100. * sum(int((t == 0).sum()) for t in w) / sum(t.nelement() for t in w)


model = LeNetish()
train(model, 2, 0.02)
print(f"dense: {test(model):.1f}%")
to_prune = tuple((m, "weight") for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))
for round_ in range(2):
    prune.global_unstructured(to_prune, pruning_method=prune.L1Unstructured, amount=0.4)
    print(f"round {round_}: sparsity {sparsity(model):.1f}%, before fine-tuning {test(model):.1f}%")
    train(model, 1, 0.01)
    print(f"round {round_}: after {test(model):.1f}%")
for m, name in to_prune:
    prune.remove(m, name)
print(f"final: {test(model):.1f}% at {sparsity(model):.1f}% zeros")
torch.save(model.state_dict(), "pruned_lenet.pt")
