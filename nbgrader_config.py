"""Makes the course's own folder a course folder of nbgrader (see docs/instructors.md).

nbgrader copies every file beside a source notebook to the students, so its sources lie apart
from ours, compiled from the masters whenever one of them changed.
"""

from pathlib import Path

from autograder.exports.nbgrader import SOURCES, course_id, refresh
from autograder.exports.nbgrader_plugin import RestoreIds

ROOT = Path(__file__).resolve().parent
refresh(ROOT)

c = get_config()  # noqa: F821 - what traitlets gives a configuration file
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.course_id = course_id(ROOT)
c.CourseDirectory.source_directory = str(SOURCES)
c.CourseDirectory.release_directory = str(SOURCES.with_name("release"))
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "data"]

# The first hidden test of a notebook grades the whole of it, training included.
c.ExecutePreprocessor.timeout = 600
c.Execute.timeout = 600
# A test cell that a student deleted comes back, so that what it tests is still graded.
c.OverwriteCells.add_missing_cells = True
# Copied and merged cells, and cells that lost their ids to an editor, would end autograding.
c.RestoreIds.root = str(ROOT)
c.Autograde.sanitize_preprocessors.prepend([RestoreIds])
