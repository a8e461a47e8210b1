"""Grading: one submission (`grader`), a class (`batch`), and a class again (`regrade`)."""
