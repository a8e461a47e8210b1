"""The command line: `main` gathers the verbs, and each verb has a module or a few lines there.

`options` holds what they share, `terminal` what is shown on one.
"""
