import torch, torch.nn as nn
torch.manual_seed(0)
m = nn.LSTM(6, 16, bidirectional=True); fc = nn.Linear(32, 5); ctc = nn.CTCLoss(blank=0)
params = list(m.parameters()) + list(fc.parameters()); opt = torch.optim.Adam(params, 1e-2)
for it in range(20):
    N, T, S = 8, 20, 5
    tgt = torch.randint(1, 5, (N, S)); x = torch.randn(T, N, 6) * .1
    for s in range(S): x[s*4:s*4+2, torch.arange(N), tgt[:, s]] += 2
    lp = fc(m(x)[0]).log_softmax(2)
    loss = ctc(lp, tgt, torch.full((N,), T), torch.full((N,), S))
    opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(params, 5.0); opt.step()
    if it % 5 == 0: print(it, loss.item())
