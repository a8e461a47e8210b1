"""Spot-instance training: the job is cut and resumed from the checkpoint (momentum SGD)."""
import io
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Checkpoint:
    def __init__(self):
        self.buffer = None

    def save(self, **state):
        self.buffer = io.BytesIO()
        torch.save({k: v.state_dict() if hasattr(v, "state_dict") else v for k, v in state.items()}, self.buffer)

    def restore(self, **objects):
        if self.buffer is None:
            return 0
        self.buffer.seek(0)
        state = torch.load(self.buffer)
        for name, obj in objects.items():
            if name in state:
                obj.load_state_dict(state[name])
        return state["epoch"]


class Job:
    def __init__(self, checkpoint, data):
        self.checkpoint, self.data = checkpoint, data
        self.model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
        self.opt = torch.optim.Adam(self.model.parameters(), lr=1e-3)

    def run(self, until):
        start = self.checkpoint.restore(model=self.model, opt=self.opt)
        for epoch in range(start, until):
            total = 0.0
            for x, y in self.data:
                self.opt.zero_grad()
                loss = nn.functional.cross_entropy(self.model(x), y)
                loss.backward()
                self.opt.step()
                total += loss.item()
            print(f"epoch {epoch}: loss {total / len(self.data):.4f}")
            self.checkpoint.save(model=self.model, optimizer=self.opt, epoch=epoch + 1)


torch.manual_seed(0)
x = torch.randn(800, 20)
y = (x @ torch.randn(20, 4)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
ck = Checkpoint()
Job(ck, loader).run(until=4)
print("preempted, starting again")
Job(ck, loader).run(until=8)
