import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(200, 4); y = X.sum(1, keepdim=True)
def make(): return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
model = make()
opt = torch.optim.SGD(model.parameters(), lr=0.05)
folds = torch.arange(200).chunk(4)
for k in range(4):
    model = make()
    tr = torch.cat([f for j, f in enumerate(folds) if j != k])
    for ep in range(5):
        for idx in tr[torch.randperm(len(tr))].split(30):
            opt.zero_grad()
            loss = ((model(X[idx]) - y[idx]) ** 2).mean()
            loss.backward()
            opt.step()
    with torch.no_grad():
        print("fold", k, ((model(X[folds[k]]) - y[folds[k]]) ** 2).mean().item())
