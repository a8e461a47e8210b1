w = 1.0
for step in range(1, 6):
    w -= 1.1 * 2 * w  # rate 1.1, slope of w * w
    print("step", step, "w", round(w, 3), "loss", round(w * w, 3))
# > step 1 w -1.2 loss 1.44
# > step 2 w 1.44 loss 2.074
# > step 3 w -1.728 loss 2.986
# > step 4 w 2.074 loss 4.3
# > step 5 w -2.488 loss 6.192
