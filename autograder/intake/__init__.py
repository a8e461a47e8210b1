"""Intake: the layouts in which submissions arrive, each turned into `model.Submission`.

`tree` reads a folder or a zip archive into one safe, capped shape; `collect` finds students
and assignments in it.
"""
