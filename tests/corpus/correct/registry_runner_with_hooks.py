"""mmcv-like: registries build everything from dicts, a Runner calls hooks by priority."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Registry(dict):
    def register(self, cls):
        self[cls.__name__] = cls
        return cls

    def build(self, cfg, **extra):
        cfg = dict(cfg)
        return self[cfg.pop("type")](**cfg, **extra)


MODELS, HOOKS, LOSSES = Registry(), Registry(), Registry()


@LOSSES.register
class SmoothedFocal(nn.Module):
    def __init__(self, gamma=1.5, smoothing=0.05):
        super().__init__()
        self.gamma, self.smoothing = gamma, smoothing

    def forward(self, logits, y):
        ce = nn.functional.cross_entropy(logits, y, reduction="none", label_smoothing=self.smoothing)
        pt = logits.softmax(1).gather(1, y[:, None]).squeeze(1)
        return ((1 - pt) ** self.gamma * ce).mean()


@MODELS.register
class ConvClassifier(nn.Module):
    def __init__(self, channels, num_classes, loss):
        super().__init__()
        dims = [3, *channels]
        self.stages = nn.Sequential(*(nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(4, b), nn.ReLU(True)) for a, b in zip(dims, dims[1:])))
        self.cls_head = nn.Linear(dims[-1], num_classes)
        self.loss = LOSSES.build(loss)

    def forward(self, img, gt=None, mode="loss"):
        logits = self.cls_head(self.stages(img).mean((2, 3)))
        return {"loss": self.loss(logits, gt)} if mode == "loss" else logits.argmax(1)


class Hook:
    priority = 50
    def before_train_epoch(self, r): pass
    def after_train_iter(self, r): pass
    def after_train_epoch(self, r): pass


@HOOKS.register
class OptimizerHook(Hook):
    priority = 10
    def __init__(self, grad_clip=None): self.grad_clip = grad_clip
    def after_train_iter(self, r):
        r.optimizer.zero_grad()
        r.outputs["loss"].backward()
        if self.grad_clip: nn.utils.clip_grad_norm_(r.model.parameters(), **self.grad_clip)
        r.optimizer.step()


@HOOKS.register
class StepLrHook(Hook):
    priority = 20
    def __init__(self, milestones, gamma=0.1): self.m, self.gamma = milestones, gamma
    def before_train_epoch(self, r):
        for g in r.optimizer.param_groups:
            g["lr"] = g.setdefault("initial_lr", g["lr"]) * self.gamma ** sum(r.epoch >= m for m in self.m)


@HOOKS.register
class EvalHook(Hook):
    priority = 70
    def __init__(self, interval=1): self.interval = interval
    def after_train_epoch(self, r):
        if (r.epoch + 1) % self.interval: return
        r.model.eval()
        with torch.no_grad():
            ok = sum((r.model(x, mode="predict") == y).sum().item() for x, y in r.val_loader)
        print(f"Epoch(val) [{r.epoch + 1}] top1: {ok / len(r.val_loader.dataset):.4f} lr: {r.optimizer.param_groups[0]['lr']:.4f}")


class Runner:
    def __init__(self, cfg, train_loader, val_loader):
        self.model = MODELS.build(cfg["model"])
        opt = dict(cfg["optimizer"])
        self.optimizer = getattr(torch.optim, opt.pop("type"))(self.model.parameters(), **opt)
        self.hooks = sorted((HOOKS.build(h) for h in cfg["hooks"]), key=lambda h: h.priority)
        self.train_loader, self.val_loader, self.max_epochs = train_loader, val_loader, cfg["max_epochs"]

    def call_hook(self, name):
        for h in self.hooks: getattr(h, name)(self)

    def run(self):
        for self.epoch in range(self.max_epochs):
            self.model.train()
            self.call_hook("before_train_epoch")
            for img, gt in self.train_loader:
                self.outputs = self.model(img, gt)
                self.call_hook("after_train_iter")
            self.call_hook("after_train_epoch")


cfg = dict(
    model=dict(type="ConvClassifier", channels=[8, 16], num_classes=3, loss=dict(type="SmoothedFocal", gamma=1.5)),
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9),
    hooks=[dict(type="EvalHook"), dict(type="OptimizerHook", grad_clip=dict(max_norm=2.0)), dict(type="StepLrHook", milestones=[4])],
    max_epochs=5,
)
torch.manual_seed(0)
y = torch.arange(600) % 3
x = torch.randn(600, 3, 16, 16) * 0.6
for k in range(3):
    x[y == k, k, 4:12, 4:12] += 0.7
Runner(cfg, DataLoader(TensorDataset(x[:480], y[:480]), 48, shuffle=True), DataLoader(TensorDataset(x[480:], y[480:]), 60)).run()
