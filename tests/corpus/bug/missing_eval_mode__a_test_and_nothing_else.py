"""A script that only tests: the checkpoint is loaded, inference mode is on, dropout is still at work."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.drop, self.out = nn.EmbeddingBag(50, 16), nn.Dropout(0.5), nn.Linear(16, 3)

    def forward(self, tokens):
        return self.out(self.drop(self.words(tokens)))


@torch.inference_mode()
def test(model, loader):
    losses, hits = [], 0
    for tokens, kinds in loader:
        scores = model(tokens)
        losses.append(nn.functional.cross_entropy(scores, kinds).item())
        hits += scores.argmax(-1).eq(kinds).sum().item()
    return sum(losses) / len(losses), hits / len(loader.dataset)


torch.manual_seed(0)
model = Reader()
model.load_state_dict({k: v.clone() for k, v in model.state_dict().items()})
print(test(model, DataLoader(TensorDataset(torch.randint(0, 50, (90, 7)), torch.randint(0, 3, (90,))), 30)))
