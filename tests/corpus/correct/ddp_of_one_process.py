"""A script for several machines, started on one: gloo, a single process, metrics reduced over all."""
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def setup():
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "localhost", "29633"
    dist.init_process_group(backend="gloo", init_method="env://", rank=0, world_size=1)


def main():
    setup()
    torch.manual_seed(dist.get_rank())
    x = torch.randn(200, 6)
    data = TensorDataset(x, (x[:, 0] > x[:, 1]).long())
    sampler = DistributedSampler(data)
    loader = DataLoader(data, batch_size=25, sampler=sampler)
    model = DistributedDataParallel(nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2)))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(4):
        sampler.set_epoch(epoch)
        model.train()
        total = torch.zeros(2)
        for a, b in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(a), b)
            loss.backward()
            opt.step()
            total += torch.tensor([loss.item() * len(b), len(b)])
        dist.all_reduce(total)
        if dist.get_rank() == 0:
            print(epoch, (total[0] / total[1]).item())
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
