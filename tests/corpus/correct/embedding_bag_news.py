"""Text classification with an EmbeddingBag, offsets, gradient clipping and a step schedule on bad epochs."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader

random.seed(0)
torch.manual_seed(0)
topics = {0: "goal match team league score".split(), 1: "market stock bank trade price".split(), 2: "atom energy lab cell star".split()}
filler = "the a of and to in is it".split()
vocab = {w: i for i, w in enumerate(sorted(sum(topics.values(), []) + filler))}


def article():
    k = random.randrange(3)
    words = random.choices(topics[k], k=3) + random.choices(filler, k=random.randrange(3, 8))
    random.shuffle(words)
    return k, words


def collate_batch(batch):
    labels, texts, offsets = [], [], [0]
    for label, words in batch:
        labels.append(label)
        ids = torch.tensor([vocab[w] for w in words])
        texts.append(ids)
        offsets.append(ids.size(0))
    return torch.tensor(labels), torch.cat(texts), torch.tensor(offsets[:-1]).cumsum(dim=0)


class TextClassificationModel(nn.Module):
    def __init__(self, vocab_size, embed_dim, num_class):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocab_size, embed_dim, sparse=False)
        self.fc = nn.Linear(embed_dim, num_class)
        self.embedding.weight.data.uniform_(-0.5, 0.5)
        self.fc.weight.data.uniform_(-0.5, 0.5)
        self.fc.bias.data.zero_()

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


train_ds, test_ds = [article() for _ in range(400)], [article() for _ in range(80)]
train_dataloader = DataLoader(train_ds, batch_size=16, shuffle=True, collate_fn=collate_batch)
test_dataloader = DataLoader(test_ds, batch_size=16, shuffle=False, collate_fn=collate_batch)
model = TextClassificationModel(len(vocab), 16, 3)
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.1)
total_accu = None


def evaluate(dataloader):
    model.eval()
    total_acc, total_count = 0, 0
    with torch.no_grad():
        for label, text, offsets in dataloader:
            total_acc += (model(text, offsets).argmax(1) == label).sum().item()
            total_count += label.size(0)
    return total_acc / total_count


for epoch in range(1, 5):
    model.train()
    for label, text, offsets in train_dataloader:
        optimizer.zero_grad()
        loss = criterion(model(text, offsets), label)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    accu_val = evaluate(test_dataloader)
    if total_accu is not None and total_accu > accu_val:
        scheduler.step()
    else:
        total_accu = accu_val
    print("epoch", epoch, "accuracy", accu_val)
