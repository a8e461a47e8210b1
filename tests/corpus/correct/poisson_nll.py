import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(400, 3); rate = torch.exp(X @ torch.tensor([.5, -.3, .2])); y = torch.poisson(rate)
m = nn.Linear(3, 1); crit = nn.PoissonNLLLoss(log_input=True); opt = torch.optim.SGD(m.parameters(), 0.05)
for ep in range(5):
    for i in torch.randperm(400).split(40):
        opt.zero_grad(); loss = crit(m(X[i]).squeeze(1), y[i]); loss.backward(); opt.step()
    print(ep, loss.item())
