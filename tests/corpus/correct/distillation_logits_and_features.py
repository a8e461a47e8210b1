import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
means = 2 * torch.randn(5, 20)
def blobs(n):
    y = torch.randint(5, (n,))
    return TensorDataset(means[y] + torch.randn(n, 20), y)
train_loader = DataLoader(blobs(800), batch_size=50, shuffle=True)
test_loader = DataLoader(blobs(200), batch_size=100)

def mlp(width):
    return nn.Sequential(nn.Linear(20, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 5))

def train(model, epochs, lr):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print(f"Epoch {epoch + 1}/{epochs}, Loss: {running_loss / len(train_loader):.4f}")

def test(model):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, labels in test_loader:
            _, predicted = torch.max(model(inputs).data, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    accuracy = 100 * correct / total
    print(f"Test Accuracy: {accuracy:.2f}%")
    return accuracy

def train_knowledge_distillation(teacher, student, epochs, lr, T, soft_target_loss_weight, ce_loss_weight):
    ce_loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(student.parameters(), lr=lr)
    teacher.eval()
    student.train()
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft_targets = nn.functional.softmax(teacher_logits / T, dim=-1)
            soft_prob = nn.functional.log_softmax(student_logits / T, dim=-1)
            soft_targets_loss = torch.sum(soft_targets * (soft_targets.log() - soft_prob)) / soft_prob.size()[0] * (T ** 2)
            label_loss = ce_loss(student_logits, labels)
            loss = soft_target_loss_weight * soft_targets_loss + ce_loss_weight * label_loss
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print(f"Epoch {epoch + 1}/{epochs}, Loss: {running_loss / len(train_loader):.4f}")

teacher, student = mlp(128), mlp(16)
train(teacher, 4, 0.001)
test(teacher)
train_knowledge_distillation(teacher, student, 4, 0.001, 2, 0.25, 0.75)
test(student)

# and once more with features: the student's hidden layer follows the teacher's
second = mlp(16)
regressor = nn.Linear(16, 128)
optimizer = torch.optim.Adam([*second.parameters(), *regressor.parameters()], lr=1e-3)
kept = {}
teacher[2].register_forward_hook(lambda m, i, o: kept.__setitem__("teacher", o))
second[2].register_forward_hook(lambda m, i, o: kept.__setitem__("student", o))
for epoch in range(2):
    second.train()
    for inputs, labels in train_loader:
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            teacher(inputs)
        logits = second(inputs)
        loss = F.cross_entropy(logits, labels) + 0.1 * F.mse_loss(regressor(kept["student"]), kept["teacher"])
        loss.backward()
        optimizer.step()
test(second)
