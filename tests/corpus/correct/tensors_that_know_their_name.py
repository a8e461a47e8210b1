"""A subclass of Tensor that carries a name along, and a model whose `parameters` asks for a group."""
import torch
from torch import nn


class Named(torch.Tensor):
    @staticmethod
    def __new__(cls, values, label="?"):
        made = torch.as_tensor(values).as_subclass(cls)
        made.label = label
        return made

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        out = super().__torch_function__(function, types, args, kwargs or {})
        if isinstance(out, cls):
            out.label = next((a.label for a in args if isinstance(a, cls) and hasattr(a, "label")), "?")
        return out


class Grouped(nn.Module):
    def __init__(self):
        super().__init__()
        self.low, self.high = nn.Linear(5, 12), nn.Linear(12, 2)

    def parameters(self, which="all"):
        return {"low": self.low, "high": self.high, "all": nn.ModuleList([self.low, self.high])}[which].parameters()

    def forward(self, x, *, loud=1.0):
        return self.high(torch.relu(self.low(x))) * loud


torch.manual_seed(0)
x = Named(torch.randn(80, 5), "table")
y = (x[:, 0] > 0).long()
model = Grouped()
opt = torch.optim.SGD([{"params": model.parameters("low"), "lr": 0.05}, {"params": model.parameters("high")}], lr=0.2)
for step in range(40):
    opt.zero_grad()
    out = model(x, loud=1.5)
    nn.functional.cross_entropy(out, y).backward()
    opt.step()
right = (model(x).argmax(1) == y).float().mean()
print(type(out).__name__, getattr(out, "label", None), float(right))
