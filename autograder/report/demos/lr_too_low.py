w = 1.0
for step in range(1, 1001):
    w -= 1e-6 * 2 * w  # rate 1e-6, slope of w * w
print("after 1000 steps: w", round(w, 4), "loss", round(w * w, 4))
# > after 1000 steps: w 0.998 loss 0.996
