import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
class EarlyStopping:
    def __init__(self, patience=3):
        self.patience, self.best, self.bad, self.weights = patience, float("inf"), 0, None
    def __call__(self, loss, model):
        if loss < self.best:
            self.best, self.bad = loss, 0
            self.weights = model.state_dict()
        else:
            self.bad += 1
        return self.bad >= self.patience
torch.manual_seed(0)
X = torch.randn(300, 10); y = X[:, :1] + torch.randn(300, 1)
tl = DataLoader(TensorDataset(X[:80], y[:80]), 16, shuffle=True)
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
crit, stopper = nn.MSELoss(), EarlyStopping()
for epoch in range(30):
    model.train()
    for a, b in tl:
        opt.zero_grad(); crit(model(a), b).backward(); opt.step()
    model.eval()
    with torch.no_grad():
        v = crit(model(X[80:]), y[80:]).item()
    print(epoch, v)
    if stopper(v, model):
        break
model.load_state_dict(stopper.weights)
print("restored best", stopper.best)
