"""The best weights kept in memory as clones, restored at the end."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(300, 12)
w = torch.randn(12, 3)
t = (X @ w + torch.randn(300, 3)).argmax(1)
Xtr, ttr, Xva, tva = X[:220], t[:220], X[220:], t[220:]
model = torch.nn.Sequential(torch.nn.Linear(12, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
best_loss, best_state = float("inf"), None
for epoch in range(12):
    for b in torch.randperm(220).split(44):
        opt.zero_grad()
        F.cross_entropy(model(Xtr[b]), ttr[b]).backward()
        opt.step()
    with torch.no_grad():
        vl = F.cross_entropy(model(Xva), tva).item()
    if vl < best_loss:
        best_loss = vl
        best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
    print(epoch, f"{vl:.4f}")
model.load_state_dict(best_state)
with torch.no_grad():
    print("restored", F.cross_entropy(model(Xva), tva).item(), "=", best_loss)
