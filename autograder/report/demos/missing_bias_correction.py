beta1, beta2 = 0.9, 0.999
m = v = 0.0
for t in (1, 2, 3):
    m, v = beta1 * m + (1 - beta1), beta2 * v + (1 - beta2)  # every gradient is 1
    plain = m / v**0.5
    corrected = (m / (1 - beta1**t)) / (v / (1 - beta2**t)) ** 0.5
    print("step", t, "plain", round(plain, 2), "corrected", round(corrected, 2), "times the rate")
# > step 1 plain 3.16 corrected 1.0 times the rate
# > step 2 plain 4.25 corrected 1.0 times the rate
# > step 3 plain 4.95 corrected 1.0 times the rate
