"""Knowledge distillation: teacher trained first, then frozen; soft and hard losses added."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import FashionMNIST

torch.manual_seed(42)
tr, te = FashionMNIST("./data", train=True, download=True), FashionMNIST("./data", train=False, download=True)
as_set = lambda d, n: TensorDataset(d.data[:n].float().view(-1, 784) / 255, d.targets[:n])
train_loader = DataLoader(as_set(tr, 640), batch_size=64, shuffle=True)
test_loader = DataLoader(as_set(te, 200), batch_size=100, shuffle=False)


class DeepNN(nn.Module):
    def __init__(self, width, p=0.1):
        super(DeepNN, self).__init__()
        self.net = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Dropout(p), nn.Linear(width, 10))

    def forward(self, x):
        return self.net(x)


def train(model, loader, epochs, lr):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=lr)
    model.train()
    for epoch in range(epochs):
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()


def train_distill(teacher, student, loader, epochs, lr, T, soft_w, ce_w):
    ce_loss = nn.CrossEntropyLoss()
    optimizer = optim.Adam(student.parameters(), lr=lr)
    teacher.eval()
    student.train()
    for epoch in range(epochs):
        running = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft_targets = F.softmax(teacher_logits / T, dim=-1)
            soft_prob = F.log_softmax(student_logits / T, dim=-1)
            soft_loss = torch.sum(soft_targets * (soft_targets.log() - soft_prob)) / soft_prob.size()[0] * (T ** 2)
            loss = soft_w * soft_loss + ce_w * ce_loss(student_logits, labels)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(inputs)
        print(f"epoch {epoch + 1}, loss {running / len(loader.dataset):.4f}")


def test(model, loader):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, labels in loader:
            correct += (model(inputs).argmax(1) == labels).sum().item()
            total += labels.size(0)
    return 100 * correct / total


teacher = DeepNN(256)
train(teacher, train_loader, 4, 1e-3)
student = DeepNN(24, 0.0)
train_distill(teacher, student, train_loader, 4, 3e-3, 2, 0.25, 0.75)
print("teacher", test(teacher, test_loader), "student", test(student, test_loader))
