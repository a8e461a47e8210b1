"""The command line: `main` gathers the verbs, of which each has a module.

`options` holds what they share, `terminal` what is shown on one.
"""
