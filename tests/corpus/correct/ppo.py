import torch, torch.nn as nn
torch.manual_seed(0)
pi = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2)); vf = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1)); o = torch.optim.Adam([*pi.parameters(), *vf.parameters()], 3e-3)
for it in range(4):
    with torch.no_grad():
        s = torch.randn(128, 3); d = torch.distributions.Categorical(logits=pi(s)); a = d.sample(); lp0 = d.log_prob(a); r = (a == (s[:, 0] > 0)).float(); adv = r - vf(s).squeeze(-1); adv = (adv - adv.mean()) / adv.std()
    for _ in range(3):
        for i in torch.randperm(128).split(32):
            d = torch.distributions.Categorical(logits=pi(s[i])); ratio = (d.log_prob(a[i]) - lp0[i]).exp()
            loss = -torch.min(ratio * adv[i], ratio.clamp(.8, 1.2) * adv[i]).mean() + .5 * (vf(s[i]).squeeze(-1) - r[i]).pow(2).mean() - .01 * d.entropy().mean()
            o.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_([*pi.parameters(), *vf.parameters()], .5); o.step()
    print(it, r.mean().item())
