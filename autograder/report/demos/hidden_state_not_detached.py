import torch

w = torch.tensor(0.5, requires_grad=True)
state = torch.tensor(1.0)
for batch in (1, 2):
    state = state * w
    try:
        (state * w).backward()
        print("batch", batch, "went well")
    except RuntimeError as error:
        print(
            "batch", batch, "asks for the graph of the batch before:", "second time" in str(error)
        )
# > batch 1 went well
# > batch 2 asks for the graph of the batch before: True
