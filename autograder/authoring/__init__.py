"""From an instructor's source to a release: `master` reads the one, `build` makes the other,
its notebooks by `notebook`.

`leaks` looks through every text (`texts`) of a release for what must not stand in it, and `gate`
is what a release must pass.
"""
