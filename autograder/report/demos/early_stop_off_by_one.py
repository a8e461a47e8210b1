losses, patience = [5.0, 4.0, 4.1, 4.2, 4.3, 4.4], 2
for sign in (">=", ">"):
    best, bad = float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad >= patience if sign == ">=" else bad > patience:
            print("bad", sign, "patience stops after epoch", epoch)
            break
# > bad >= patience stops after epoch 4
# > bad > patience stops after epoch 5
