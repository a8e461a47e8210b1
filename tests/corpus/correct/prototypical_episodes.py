"""Prototypical networks: episodes of N ways and K shots drawn from synthetic classes."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Sampler, TensorDataset


class EpisodeSampler(Sampler):
    """Yields the indices of one episode: n_way classes, n_shot + n_query rows of each."""

    def __init__(self, labels, n_way, n_per_class, n_episodes):
        self.by_class = [torch.nonzero(labels == c).flatten() for c in labels.unique()]
        self.n_way, self.n_per_class, self.n_episodes = n_way, n_per_class, n_episodes

    def __len__(self):
        return self.n_episodes

    def __iter__(self):
        for _ in range(self.n_episodes):
            ways = torch.randperm(len(self.by_class))[: self.n_way]
            yield torch.cat([self.by_class[w][torch.randperm(len(self.by_class[w]))[: self.n_per_class]] for w in ways]).tolist()


def make(n_classes, n_each, mixing):
    y = torch.arange(n_classes).repeat_interleave(n_each)
    z = torch.randn(n_classes, 5)[y] + 0.35 * torch.randn(len(y), 5)
    return TensorDataset(torch.tanh(z @ mixing), y)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(30, 64)
        self.bn = nn.BatchNorm1d(64)
        self.fc2 = nn.Linear(64, 16)

    def forward(self, x):
        return self.fc2(F.relu(self.bn(self.fc1(x))))


def proto_loss(emb, n_way, n_shot):
    emb = emb.view(n_way, -1, emb.size(-1))
    protos = emb[:, :n_shot].mean(1)
    queries = emb[:, n_shot:].reshape(-1, emb.size(-1))
    target = torch.arange(n_way).repeat_interleave(emb.size(1) - n_shot)
    logits = -torch.cdist(queries, protos) ** 2
    return F.cross_entropy(logits, target), (logits.argmax(-1) == target).float().mean()


def main():
    mixing = torch.randn(5, 30)
    train_ds, test_ds = make(40, 30, mixing), make(15, 30, mixing)
    way, shot, query = 5, 3, 7
    train = DataLoader(train_ds, batch_sampler=EpisodeSampler(train_ds.tensors[1], way, shot + query, 60))
    test = DataLoader(test_ds, batch_sampler=EpisodeSampler(test_ds.tensors[1], way, shot + query, 40))
    net = Encoder()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(5):
        net.train()
        for x, _ in train:
            loss, _ = proto_loss(net(x), way, shot)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            accs = [proto_loss(net(x), way, shot)[1].item() for x, _ in test]
        print(f"epoch {epoch}: novel-class accuracy {sum(accs) / len(accs):.3f}")


main()
