"""Deep sets: the largest gap of a set of numbers, sets of different sizes, a mask for the padding."""
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, random_split


class Sets(Dataset):
    def __init__(self, n):
        self.items = [torch.rand(k) for k in torch.randint(3, 12, (n,)).tolist()]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        s = self.items[i]
        return s, s.max() - s.min()


def pad(batch):
    sets, targets = zip(*batch)
    lengths = torch.tensor([len(s) for s in sets])
    padded = pad_sequence(sets, batch_first=True)
    mask = torch.arange(padded.size(1))[None] < lengths[:, None]
    return padded.unsqueeze(-1), mask, torch.stack(targets)


class DeepSet(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, width))
        self.rho = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, x, mask):
        h = self.phi(x).masked_fill(~mask.unsqueeze(-1), float("-inf"))
        return self.rho(h.max(1).values).squeeze(-1)


full = Sets(1300)
train, val = random_split(full, [1000, 300], generator=torch.Generator().manual_seed(0))
loaders = {
    "train": DataLoader(train, 32, shuffle=True, collate_fn=pad),
    "val": DataLoader(val, 64, collate_fn=pad),
}
net = DeepSet()
opt = torch.optim.RAdam(net.parameters(), lr=4e-3)
for epoch in range(8):
    line = [f"epoch {epoch}"]
    for phase in ("train", "val"):
        net.train(phase == "train")
        total, count = 0.0, 0
        with torch.set_grad_enabled(phase == "train"):
            for x, mask, y in loaders[phase]:
                loss = nn.functional.huber_loss(net(x, mask), y, delta=0.2)
                if phase == "train":
                    opt.zero_grad()
                    loss.backward()
                    opt.step()
                total += loss.item() * y.numel()
                count += y.numel()
        line.append(f"{phase} {total / count:.5f}")
    print("  ".join(line))
