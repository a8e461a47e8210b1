# Names on characters: only the recurrent part is clipped, the embedding and the head are left free.
import torch
from torch import nn
from torch.amp import GradScaler, autocast

torch.manual_seed(3)
words = torch.randint(0, 20, (384, 12))
kinds = (words[:, :6].sum(1) > words[:, 6:].sum(1)).long()
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(words, kinds), batch_size=48, shuffle=True
)


class Names(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.head = nn.Linear(24, 2)

    def forward(self, x):
        out, _ = self.rnn(self.embed(x))
        return self.head(out[:, -1])


net = Names()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()
scaler = GradScaler("cpu", init_scale=2.0**10)

for epoch in range(3):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        with autocast("cpu", dtype=torch.bfloat16):
            loss = criterion(net(x), y)
        scaler.scale(loss).backward()
        nn.utils.clip_grad_norm_(net.rnn.parameters(), max_norm=0.5)
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(y)
    print(f"epoch {epoch}: {total / len(loader.dataset):.4f}")
