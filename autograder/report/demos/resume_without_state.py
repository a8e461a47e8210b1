import torch

w = torch.nn.Parameter(torch.tensor(0.0))
optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
for step in (1, 2, 3, 4, 5, 6):
    if step == 4:  # the program was ended here, and only w was loaded
        optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    before = w.item()
    w.grad = torch.tensor(-1.0)
    optimizer.step()
    print("step", step, "moves w by", round(w.item() - before, 3))
# > step 1 moves w by 0.1
# > step 2 moves w by 0.19
# > step 3 moves w by 0.271
# > step 4 moves w by 0.1
# > step 5 moves w by 0.19
# > step 6 moves w by 0.271
