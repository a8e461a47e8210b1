"""Target networks: one that moves along is named, and one that may be the learner's is not."""

from __future__ import annotations

import pytest

from tests.recorded import bugs

LOOP = """
import copy, random
def net():
    return nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 2))
rows = [(torch.randn(4), random.randrange(2), random.random(), torch.randn(4)) for _ in range(64)]
def learn(policy, target, optimizer):
    s, a, r, n = zip(*random.sample(rows, 8))
    q = policy(torch.stack(s)).gather(1, torch.tensor(a)[:, None])[:, 0]
    with torch.no_grad():
        goal = torch.tensor(r) + 0.9 * target(torch.stack(n)).amax(1)
    optimizer.zero_grad()
    F.mse_loss(q, goal).backward()
    optimizer.step()
"""
MOVES = {
    "one object": """
policy = net()
target = policy
adam = torch.optim.Adam(policy.parameters())
for _ in range(8):
    learn(policy, target, adam)
""",
    "a shallow copy, in an object": """
class Agent:
    def __init__(self):
        self.local = net()
        self.target_net = copy.copy(self.local)
        self.adam = torch.optim.Adam(self.local.parameters())
    def run(self):
        for _ in range(8):
            learn(self.local, self.target_net, self.adam)
Agent().run()
""",
    "one storage, in a mapping": """
nets = {"q": net(), "q_target": net()}
nets["q_target"].load_state_dict(nets["q"].state_dict(), assign=True)
adam = torch.optim.Adam(nets["q"].parameters())
for _ in range(8):
    learn(nets["q"], nets["q_target"], adam)
""",
    "given its own state": """
policy, other = net(), net()
adam = torch.optim.Adam(policy.parameters())
for k in range(8):
    learn(policy, other, adam)
    if k % 3 == 0:
        other.load_state_dict(other.state_dict())
""",
}
RIGHT = {
    "a deep copy": """
policy = net()
target = copy.deepcopy(policy)
adam = torch.optim.Adam(policy.parameters())
for k in range(8):
    learn(policy, target, adam)
    if k % 3 == 0:
        target.load_state_dict(policy.state_dict())
""",
    "no target at all": """
policy = net()
adam = torch.optim.Adam(policy.parameters())
for _ in range(8):
    learn(policy, policy, adam)
""",
    "two domains through one network": """
source_net = target_net = net()
adam = torch.optim.Adam(source_net.parameters())
for _ in range(8):
    learn(source_net, target_net, adam)
""",
    "a function that calls its victim so": """
model = net()
adam = torch.optim.Adam(model.parameters())
def attack(target_model, x):
    with torch.no_grad():
        return x + 0.1 * target_model(x).sum(1, keepdim=True)
for _ in range(8):
    x = torch.randn(8, 4)
    adam.zero_grad()
    F.cross_entropy(model(attack(model, x)), (x[:, 0] > 0).long()).backward()
    adam.step()
""",
    "a state put back once, to try the file": """
policy = target = None
model = net()
model.load_state_dict(model.state_dict())
adam = torch.optim.Adam(model.parameters())
for _ in range(8):
    learn(model, model, adam)
""",
}


@pytest.mark.parametrize("name", MOVES)
def test_a_target_that_moves_along_is_named(name: str) -> None:
    assert bugs(LOOP + MOVES[name]) == ["target_not_frozen"]


@pytest.mark.parametrize("name", RIGHT)
def test_networks_that_may_be_one_pass(name: str) -> None:
    assert bugs(LOOP + RIGHT[name]) == []
