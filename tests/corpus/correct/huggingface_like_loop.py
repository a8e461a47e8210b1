"""Outputs as objects with a loss in them, a schedule per step, accumulation, and a decay-free group."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader


@dataclass
class Output:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


class ForClassification(nn.Module):
    def __init__(self, vocab=50, d=32, labels=3):
        super().__init__()
        self.embeddings = nn.Embedding(vocab, d, padding_idx=0)
        self.LayerNorm = nn.LayerNorm(d)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(d, labels)

    def forward(self, input_ids, attention_mask, labels=None):
        h = self.dropout(self.LayerNorm(self.embeddings(input_ids)))
        h = (h * attention_mask.unsqueeze(-1)).sum(1) / attention_mask.sum(1, keepdim=True)
        logits = self.classifier(h)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return Output(logits, loss)


def collate(rows):
    n = max(len(r["ids"]) for r in rows)
    ids = torch.stack([nn.functional.pad(r["ids"], (0, n - len(r["ids"]))) for r in rows])
    return {"input_ids": ids, "attention_mask": (ids > 0).float(), "labels": torch.tensor([r["label"] for r in rows])}


torch.manual_seed(0)
rows = []
for _ in range(480):
    k = int(torch.randint(3, ()))
    rows.append({"ids": torch.randint(1 + 16 * k, 20 + 15 * k, (int(torch.randint(3, 9, ())),)), "label": k})
train, evald = DataLoader(rows[:400], 16, shuffle=True, collate_fn=collate), DataLoader(rows[400:], 16, collate_fn=collate)
model = ForClassification()
no_decay = ["bias", "LayerNorm.weight"]
groups = [{"params": [p for n, p in model.named_parameters() if not any(d in n for d in no_decay)], "weight_decay": 0.01},
          {"params": [p for n, p in model.named_parameters() if any(d in n for d in no_decay)], "weight_decay": 0.0}]
opt = torch.optim.AdamW(groups, lr=1e-2)
accumulate, epochs = 5, 3
total = epochs * len(train) // accumulate
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1, (s + 1) / 3) * max(0.0, (total - s) / total))
for epoch in range(epochs):
    model.train()
    for step, batch in enumerate(train, 1):
        loss = model(**batch).loss / accumulate
        loss.backward()
        if step % accumulate == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sched.step()
            model.zero_grad()
    model.eval()
    hits = 0
    for batch in evald:
        with torch.no_grad():
            out = model(**batch)
        hits += (out.logits.argmax(-1) == batch["labels"]).sum().item()
    print(epoch, hits / 80, sched.get_last_lr()[0])
