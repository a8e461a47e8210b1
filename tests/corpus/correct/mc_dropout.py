import torch, torch.nn as nn
torch.manual_seed(0)
x = torch.rand(200, 1) * 4 - 2; y = torch.sin(2 * x) + .1 * torch.randn_like(x)
m = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Dropout(.1), nn.Linear(32, 1)); opt = torch.optim.Adam(m.parameters(), 1e-2)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 25, shuffle=True)
for e in range(5):
    m.train()
    for a, b in dl: opt.zero_grad(); l = nn.functional.mse_loss(m(a), b); l.backward(); opt.step()
    print(e, l.item())
def mc_predict(model, x, n=20):
    model.eval()
    for mod in model.modules():
        if isinstance(mod, nn.Dropout): mod.train()  # MC dropout on purpose
    with torch.no_grad(): s = torch.stack([model(x) for _ in range(n)])
    return s.mean(0), s.std(0)
print(mc_predict(m, torch.linspace(-2, 2, 5).view(-1, 1)))
