"""Transfer learning: a frozen backbone whose batch norm stays in evaluation mode, then fine tuning."""
import copy

import torch
import torch.nn as nn
from torch.optim import lr_scheduler
from torchvision import datasets, models, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
full = datasets.FakeData(96, (3, 32, 32), num_classes=3, transform=tf)
parts = dict(zip(("train", "val"), torch.utils.data.random_split(full, [64, 32])))
dataloaders = {x: torch.utils.data.DataLoader(parts[x], batch_size=16, shuffle=x == "train") for x in parts}
dataset_sizes = {x: len(parts[x]) for x in parts}
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def train_model(model, criterion, optimizer, scheduler, num_epochs=3):
    best_model_wts = copy.deepcopy(model.state_dict())
    best_acc = 0.0
    for epoch in range(num_epochs):
        for phase in ["train", "val"]:
            if phase == "train":
                model.train()
                for m in model.modules():
                    if isinstance(m, nn.BatchNorm2d):
                        m.eval()
            else:
                model.eval()
            running_loss, running_corrects = 0.0, 0
            for inputs, labels in dataloaders[phase]:
                inputs, labels = inputs.to(device), labels.to(device)
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == labels.data)
            if phase == "train":
                scheduler.step()
            epoch_loss = running_loss / dataset_sizes[phase]
            epoch_acc = running_corrects.double() / dataset_sizes[phase]
            print(f"{phase} Loss: {epoch_loss:.4f} Acc: {epoch_acc:.4f}")
            if phase == "val" and epoch_acc > best_acc:
                best_acc = epoch_acc
                best_model_wts = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_model_wts)
    return model


net = models.resnet18(weights=None)
for param in net.parameters():
    param.requires_grad = False
net.fc = nn.Linear(net.fc.in_features, 3)
net = net.to(device)
criterion = nn.CrossEntropyLoss()
head = torch.optim.SGD(net.fc.parameters(), lr=0.001, momentum=0.9)
net = train_model(net, criterion, head, lr_scheduler.StepLR(head, step_size=2, gamma=0.1), 2)
for name, param in net.named_parameters():
    if name.startswith("layer4"):
        param.requires_grad = True
tuned = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1e-4, momentum=0.9)
net = train_model(net, criterion, tuned, lr_scheduler.StepLR(tuned, 1), 1)
