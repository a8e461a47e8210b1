from torch import nn


class Net(nn.Module):
    """Two layers in a plain list."""

    def __init__(self, keep):
        super().__init__()
        self.layers = keep([nn.Linear(4, 8), nn.Linear(8, 2)])


print("list:", len(list(Net(list).parameters())), "parameters")
print("ModuleList:", len(list(Net(nn.ModuleList).parameters())), "parameters")
# > list: 0 parameters
# > ModuleList: 4 parameters
