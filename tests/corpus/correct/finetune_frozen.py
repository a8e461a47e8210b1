import copy, torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(400, 3, 8, 8); y = (X.mean((1, 2, 3)) > 0).long()
loaders = {"train": torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:300], y[:300]), 30, shuffle=True),
           "val": torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[300:], y[300:]), 50, shuffle=False)}
backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
for p in backbone.parameters(): p.requires_grad = False
model = nn.Sequential(backbone, nn.Linear(32, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.01, momentum=0.9)
sched = torch.optim.lr_scheduler.StepLR(optimizer, 7, 0.1)
best, best_w = 0.0, copy.deepcopy(model.state_dict())
for epoch in range(3):
    for phase in ["train", "val"]:
        model.train() if phase == "train" else model.eval()
        rl, rc = 0.0, 0
        for a, b in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                out = model(a); _, preds = torch.max(out, 1); loss = criterion(out, b)
                if phase == "train":
                    loss.backward(); optimizer.step()
            rl += loss.item() * a.size(0); rc += torch.sum(preds == b.data).item()
        if phase == "train": sched.step()
        n = len(loaders[phase].dataset)
        print(phase, rl / n, rc / n)
        if phase == "val" and rc / n > best:
            best, best_w = rc / n, copy.deepcopy(model.state_dict())
model.load_state_dict(best_w)
