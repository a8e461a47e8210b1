import torch
from torch import nn
torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2)); critic = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
po = torch.optim.Adam(policy.parameters(), 3e-3); co = torch.optim.Adam(critic.parameters(), 1e-2)
target_w = torch.randn(4)
for it in range(40):
    s = torch.randn(64, 4)
    dist = torch.distributions.Categorical(logits=policy(s)); a = dist.sample()
    r = ((s @ target_w > 0).long() == a).float()
    s2 = s + 0.1 * torch.randn_like(s)
    ret = r + 0.9 * critic(s2).squeeze(-1).detach()
    adv = (ret - critic(s).squeeze(-1)).detach()
    loss = -(dist.log_prob(a) * adv).mean() - 0.01 * dist.entropy().mean()
    po.zero_grad(); loss.backward(); po.step()
    vloss = nn.functional.mse_loss(critic(s).squeeze(-1), ret)
    co.zero_grad(); vloss.backward(); co.step()
    if it % 10 == 0: print(it, r.mean().item(), vloss.item())
