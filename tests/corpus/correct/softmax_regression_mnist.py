"""Multinomial logistic regression: one linear layer, on purpose."""
import torch
import torch.nn as nn
import torchvision
import torchvision.transforms as transforms

torch.manual_seed(0)
train_dataset = torchvision.datasets.MNIST(root='./data', train=True, transform=transforms.ToTensor(), download=True)
test_dataset = torchvision.datasets.MNIST(root='./data', train=False, transform=transforms.ToTensor())
train_loader = torch.utils.data.DataLoader(dataset=train_dataset, batch_size=50, shuffle=True)
test_loader = torch.utils.data.DataLoader(dataset=test_dataset, batch_size=50, shuffle=False)

# logistic regression
model = nn.Linear(784, 10)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for i, (images, labels) in enumerate(train_loader):
        outputs = model(images.reshape(-1, 784))
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f'Epoch {epoch + 1}, loss {loss.item():.4f}')
with torch.no_grad():
    correct = total = 0
    for images, labels in test_loader:
        predicted = torch.max(model(images.reshape(-1, 784)), 1)[1]
        total += labels.size(0)
        correct += (predicted == labels).sum()
print('Accuracy: {:.1f} %'.format(100 * correct.item() / total))
