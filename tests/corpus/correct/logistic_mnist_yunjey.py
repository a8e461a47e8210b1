import torch, torch.nn as nn
import torchvision, torchvision.transforms as transforms
input_size, num_classes, num_epochs, batch_size, learning_rate = 28 * 28, 10, 2, 100, 0.001
train_dataset = torchvision.datasets.MNIST(root='data', train=True, transform=transforms.ToTensor(), download=True)
test_dataset = torchvision.datasets.MNIST(root='data', train=False, transform=transforms.ToTensor())
train_loader = torch.utils.data.DataLoader(dataset=train_dataset, batch_size=batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(dataset=test_dataset, batch_size=batch_size, shuffle=False)
model = nn.Linear(input_size, num_classes)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
total_step = len(train_loader)
for epoch in range(num_epochs):
    for i, (images, labels) in enumerate(train_loader):
        images = images.reshape(-1, input_size)
        outputs = model(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (i + 1) % 100 == 0: print('Step [{}/{}], Loss: {:.4f}'.format(i + 1, total_step, loss.item()))
with torch.no_grad():
    correct = 0; total = 0
    for images, labels in test_loader:
        images = images.reshape(-1, input_size)
        outputs = model(images)
        _, predicted = torch.max(outputs.data, 1)
        total += labels.size(0); correct += (predicted == labels).sum()
    print('Accuracy: {} %'.format(100 * correct / total))
torch.save(model.state_dict(), 'model.ckpt')
