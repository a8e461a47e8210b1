from statistics import mean, stdev

a = [85.1, 84.2, 85.9, 84.6, 85.2]  # five seeds each
b = [85.3, 84.9, 84.4, 86.0, 85.1]
print(
    "gain",
    round(mean(b) - mean(a), 2),
    "and spread of one run",
    round(stdev(a), 2),
    round(stdev(b), 2),
)
print(
    "with the first seed alone:",
    round(b[0] - a[0], 2),
    "with the third alone:",
    round(b[2] - a[2], 2),
)
# > gain 0.14 and spread of one run 0.64 0.59
# > with the first seed alone: 0.2 with the third alone: -1.5
