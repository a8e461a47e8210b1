import os, tempfile, torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
PATH = os.path.join(tempfile.mkdtemp(), "ck.pt")
def build():
    model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, opt
def run_epoch(model, opt, dl):
    model.train()
    for x, y in dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    return loss.item()
torch.manual_seed(0)
X = torch.randn(200, 5); Y = X[:, :3].argmax(1)
dl = DataLoader(TensorDataset(X, Y), 20, shuffle=True)
model, opt = build()
for e in range(3):
    print(e, run_epoch(model, opt, dl))
    torch.save({"model": model.state_dict(), "optimizer": opt.state_dict(), "epoch": e}, PATH)
# ---- resume
model, opt = build()
ck = torch.load(PATH)
model.load_state_dict(ck["model"])
for e in range(ck["epoch"] + 1, 6):
    print(e, run_epoch(model, opt, dl))
