"""A Gaussian mixture fitted by gradient ascent with alternating optimizers, no neural network."""
import torch
import torch.distributions as D

torch.manual_seed(10)
true = torch.tensor([[-3.0, 0.0], [2.0, 2.0], [2.0, -2.5]])
data = true[torch.randint(3, (600,))] + 0.5 * torch.randn(600, 2)

logits = torch.zeros(3, requires_grad=True)
means = (data[torch.randperm(600)[:3]]).clone().requires_grad_()
log_scale = torch.zeros(3, 2, requires_grad=True)


def mixture():
    return D.MixtureSameFamily(D.Categorical(logits=logits), D.Independent(D.Normal(means, log_scale.exp()), 1))


opt_loc = torch.optim.SGD([means], lr=0.5, momentum=0.5)
opt_rest = torch.optim.Adam([logits, log_scale], lr=0.05)
previous = None
for it in range(200):
    opt = opt_loc if it % 2 == 0 else opt_rest
    opt_loc.zero_grad()
    opt_rest.zero_grad()
    nll = -mixture().log_prob(data).mean()
    nll.backward()
    opt.step()
    if it % 40 == 0:
        print(f"iteration {it} nll {nll.item():.4f}")
print("means", means.detach().round(decimals=2).tolist())
print("weights", logits.softmax(0).tolist())
