n, size = 10, 4
seen = [i for k in range(n // size) for i in range(k * size, (k + 1) * size)]
print("n // size batches:", seen)
seen = [i for start in range(0, n, size) for i in range(start, min(start + size, n))]
print("every start below n:", seen)
# > n // size batches: [0, 1, 2, 3, 4, 5, 6, 7]
# > every start below n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
