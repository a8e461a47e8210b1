"""The one engine that explains a training loop: computed outside, from what a trace holds.

    images      which secret images went in, and how the program prepared them
    network     the network as a chain of linear layers: its answers, and its gradients
    objective   what was differentiated, read off the gradient at the answers
    updates     what each step was made of, and the rate it was taken at
    replay      a trace, read: calls, steps and spans with all of the above

Nothing here names a student's mistake in words; the judges do that, on a `Replay`.
"""
