import io
import pickle

import torch

net = torch.nn.Linear(2, 1)
for what in (net, net.state_dict()):
    file = io.BytesIO()
    torch.save(what, file)
    file.seek(0)
    try:
        print("safely loaded:", type(torch.load(file, weights_only=True)).__name__)
    except pickle.UnpicklingError as error:
        print("refused:", type(error).__name__)
# > refused: UnpicklingError
# > safely loaded: OrderedDict
