import random

import torch


def run():
    """A program that seeds one of its two generators."""
    random.seed(0)
    return random.random(), torch.rand(()).item()


first, second = run(), run()
print("random: the same", first[0] == second[0])
print("torch: the same", first[1] == second[1])
# > random: the same True
# > torch: the same False
