import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V = 30; inp, out = nn.Embedding(V, 8, sparse=True), nn.Embedding(V, 8, sparse=True); nn.init.zeros_(out.weight)
opt = torch.optim.SparseAdam(list(inp.parameters()) + list(out.parameters()), lr=1e-2)
corpus = torch.randint(0, V, (600,)); corpus[1::2] = (corpus[::2] + 1) % V
for ep in range(2):
    for i in torch.randperm(599).split(50):
        c, o = corpus[i], corpus[i + 1]; neg = torch.randint(0, V, (len(i), 5))
        pos = F.logsigmoid((inp(c) * out(o)).sum(1)); ns = F.logsigmoid(-(out(neg) @ inp(c).unsqueeze(2)).squeeze(2)).sum(1)
        loss = -(pos + ns).mean(); opt.zero_grad(); loss.backward(); opt.step()
    print(ep, loss.item())
