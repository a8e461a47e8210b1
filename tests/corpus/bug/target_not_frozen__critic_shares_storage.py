"""An actor and a critic on a toy control task; the critic's target was filled with `assign=True`: same storage."""
import torch
from torch import nn

torch.manual_seed(0)


def mlp(a, b):
    return nn.Sequential(nn.Linear(a, 24), nn.ReLU(), nn.Linear(24, b))


nets = {"actor": mlp(2, 1), "critic": mlp(3, 1), "critic_target": mlp(3, 1)}
nets["critic_target"].load_state_dict(nets["critic"].state_dict(), assign=True)
actor_opt = torch.optim.Adam(nets["actor"].parameters(), lr=1e-3)
critic_opt = torch.optim.Adam(nets["critic"].parameters(), lr=2e-3)
place = torch.randn(400, 2)
for step in range(60):
    s = place[torch.randint(0, 400, (32,))]
    with torch.no_grad():
        a = torch.tanh(nets["actor"](s)) + 0.1 * torch.randn(32, 1)
        s2 = s + 0.1 * a
        reward = -s2.square().sum(1, keepdim=True)
        goal = reward + 0.9 * nets["critic_target"](torch.cat([s2, torch.tanh(nets["actor"](s2))], 1))
    critic_loss = nn.functional.mse_loss(nets["critic"](torch.cat([s, a], 1)), goal)
    critic_opt.zero_grad()
    critic_loss.backward()
    critic_opt.step()
    actor_loss = -nets["critic"](torch.cat([s, torch.tanh(nets["actor"](s))], 1)).mean()
    actor_opt.zero_grad()
    actor_loss.backward()
    actor_opt.step()
print(critic_loss.item(), actor_loss.item())
