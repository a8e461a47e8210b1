"""Federated averaging over non-iid clients, after McMahan et al. 2017."""
import argparse
import copy
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def args_parser():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=8)
    p.add_argument("--frac", type=float, default=0.5)
    p.add_argument("--num_users", type=int, default=8)
    p.add_argument("--local_ep", type=int, default=2)
    p.add_argument("--local_bs", type=int, default=16)
    p.add_argument("--lr", type=float, default=0.1)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def blobs(n, centres):
    y = torch.randint(4, (n,))
    return TensorDataset(centres[y] + 0.8 * torch.randn(n, 10), y)


class LocalUpdate:
    def __init__(self, args, dataset, idxs):
        self.args = args
        self.loader = DataLoader(Subset(dataset, idxs), batch_size=args.local_bs, shuffle=True)

    def update_weights(self, model):
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=self.args.lr)
        total, seen = 0.0, 0
        for _ in range(self.args.local_ep):
            for images, labels in self.loader:
                model.zero_grad()
                loss = F.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(labels)
                seen += len(labels)
        return model.state_dict(), total / seen


def average_weights(states, sizes):
    out = copy.deepcopy(states[0])
    for key in out:
        out[key] = sum(s[key] * n for s, n in zip(states, sizes)) / sum(sizes)
    return out


@torch.no_grad()
def inference(model, dataset):
    model.eval()
    correct = 0
    for x, y in DataLoader(dataset, batch_size=64):
        correct += (model(x).argmax(1) == y).sum().item()
    return correct / len(dataset)


if __name__ == "__main__":
    args = args_parser()
    random.seed(args.seed), np.random.seed(args.seed), torch.manual_seed(args.seed)
    centres = torch.randn(4, 10)
    train, test = blobs(640, centres), blobs(200, centres)
    order = np.argsort(train.tensors[1].numpy(), kind="stable")
    shards = np.array_split(order, args.num_users * 2)
    picks = np.random.permutation(args.num_users * 2).reshape(args.num_users, 2)
    users = [np.concatenate([shards[a], shards[b]]).tolist() for a, b in picks]
    global_model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
    for rnd in range(args.rounds):
        chosen = np.random.choice(args.num_users, max(int(args.frac * args.num_users), 1), replace=False)
        states, sizes, losses = [], [], []
        for u in chosen:
            w, loss = LocalUpdate(args, train, users[u]).update_weights(copy.deepcopy(global_model))
            states.append(w), sizes.append(len(users[u])), losses.append(loss)
        global_model.load_state_dict(average_weights(states, sizes))
        print(f"round {rnd} local loss {np.average(losses, weights=sizes):.3f} test acc {inference(global_model, test):.3f}")
