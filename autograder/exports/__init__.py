"""The way out: grades into other tools, and graders that run in them.

`base` is what every exporter is given. `gradescope_zip` and `otter` package a grader, and
`nbgrader_plugin` and `otter_plugin` are what those tools load of ours.
"""
