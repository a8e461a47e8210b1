import random, math
from collections import deque
import torch, torch.nn as nn
random.seed(0); torch.manual_seed(0)
policy_net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 2))
target_net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 2))
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
mem = deque([], maxlen=500); TAU = 0.01
s = torch.randn(3)
for t in range(150):
    if random.random() < max(0.05, 0.9 * math.exp(-t / 50)):
        a = torch.tensor([[random.randrange(2)]])
    else:
        with torch.no_grad():
            a = policy_net(s.unsqueeze(0)).max(1).indices.view(1, 1)
    r = torch.tensor([1.0 if (s.sum() > 0) == bool(a.item()) else -1.0])
    ns = torch.randn(3)
    mem.append((s.unsqueeze(0), a, ns.unsqueeze(0), r)); s = ns
    if len(mem) < 32: continue
    bs, ba, bn, br = (torch.cat(z) for z in zip(*random.sample(mem, 32)))
    q = policy_net(bs).gather(1, ba)
    with torch.no_grad():
        nq = target_net(bn).max(1).values
    exp = nq * 0.9 + br
    loss = nn.SmoothL1Loss()(q, exp.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    sd, pd = target_net.state_dict(), policy_net.state_dict()
    for k in pd: sd[k] = pd[k] * TAU + sd[k] * (1 - TAU)
    target_net.load_state_dict(sd)
    if t % 30 == 0: print(t, loss.item())
