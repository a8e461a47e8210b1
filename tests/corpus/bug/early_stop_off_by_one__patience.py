import copy
import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(300, 10); y = X[:, :1] + torch.randn(300, 1)
tl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:60], y[:60]), 12, shuffle=True)
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
patience = 3   # stop after 3 epochs without improvement
best, wait, best_state = float("inf"), 0, None
for epoch in range(40):
    model.train()
    for a, b in tl:
        opt.zero_grad(); nn.functional.mse_loss(model(a), b).backward(); opt.step()
    model.eval()
    with torch.no_grad():
        val = nn.functional.mse_loss(model(X[60:]), y[60:]).item()
    if val < best:
        best, wait, best_state = val, 0, copy.deepcopy(model.state_dict())
    else:
        wait += 1
        if wait > patience:
            print("early stop at", epoch)
            break
    print(epoch, val)
model.load_state_dict(best_state)
