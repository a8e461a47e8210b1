import torch, torch.nn as nn
torch.manual_seed(0)
A = torch.tensor([[-.1, 2.], [-2., -.1]]); dt = .01
def roll(f, x, n):
    out = [x]
    for _ in range(n): x = x + dt * f(x); out.append(x)
    return torch.stack(out)
with torch.no_grad(): true = roll(lambda x: (x ** 3) @ A.t(), torch.tensor([[2., 0.]]), 100)
f = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 2)); opt = torch.optim.RMSprop(f.parameters(), 1e-3)
for it in range(20):
    s = torch.randint(0, 90, (16,)); x0 = true[s, 0]; tgt = torch.stack([true[s + i, 0] for i in range(6)])
    opt.zero_grad(); loss = (roll(f, x0, 5) - tgt).abs().mean(); loss.backward(); opt.step()
    if it % 5 == 0:
        with torch.no_grad(): print(it, loss.item(), (roll(f, true[0], 100) - true).abs().mean().item())
