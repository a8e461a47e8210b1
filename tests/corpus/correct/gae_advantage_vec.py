"""Advantage actor critic with GAE over a vector of point-mass environments."""
import torch
from torch import nn
from torch.distributions import Normal

NUM_ENVS, HORIZON, UPDATES = 16, 20, 60
gamma, lam, ent_coef, vf_coef = 0.95, 0.9, 1e-3, 0.5


def layer_init(layer, std=2**0.5):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.zeros_(layer.bias)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(2, 64)), nn.Tanh(), layer_init(nn.Linear(64, 1), 1.0))
        self.actor_mean = nn.Sequential(layer_init(nn.Linear(2, 64)), nn.Tanh(), layer_init(nn.Linear(64, 1), 0.01))
        self.actor_logstd = nn.Parameter(torch.zeros(1, 1))

    def get_value(self, x):
        return self.critic(x).squeeze(-1)

    def dist(self, x):
        mean = self.actor_mean(x)
        return Normal(mean, self.actor_logstd.expand_as(mean).exp())


def env_step(state, action):
    pos, vel = state.unbind(1)
    vel = 0.9 * vel + 0.3 * action.squeeze(1).clamp(-1, 1)
    pos = (pos + 0.2 * vel).clamp(-2, 2)
    return torch.stack([pos, vel], 1), -(pos**2)


def fresh():
    return torch.stack([torch.empty(NUM_ENVS).uniform_(-1, 1), torch.zeros(NUM_ENVS)], 1)


agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=7e-3, eps=1e-5)
for update in range(1, UPDATES + 1):
    optimizer.param_groups[0]["lr"] = 7e-3 * (1 - (update - 1) / UPDATES)
    state = fresh()
    obs, acts, rews, vals = [], [], [], []
    with torch.no_grad():
        for _ in range(HORIZON):
            a = agent.dist(state).sample()
            obs.append(state), acts.append(a), vals.append(agent.get_value(state))
            state, r = env_step(state, a)
            rews.append(r)
        last, adv = agent.get_value(state), torch.zeros(HORIZON, NUM_ENVS)
        running = torch.zeros(NUM_ENVS)
        for t in reversed(range(HORIZON)):
            nextv = vals[t + 1] if t + 1 < HORIZON else last
            running = rews[t] + gamma * nextv - vals[t] + gamma * lam * running
            adv[t] = running
        returns = adv + torch.stack(vals)
    b_obs, b_act = torch.cat(obs), torch.cat(acts)
    b_adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    dist = agent.dist(b_obs)
    pg = -(dist.log_prob(b_act).sum(1) * b_adv.flatten()).mean()
    vf = 0.5 * (agent.get_value(b_obs) - returns.flatten()).pow(2).mean()
    loss = pg + vf_coef * vf - ent_coef * dist.entropy().sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
    optimizer.step()
    if update % 15 == 0:
        print(f"update={update} mean_reward={torch.stack(rews).mean().item():.3f} value_loss={vf.item():.3f}")
