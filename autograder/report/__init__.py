"""The pages: one per student, one for the class."""
