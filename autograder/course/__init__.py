"""The course: its configuration, its images, and how its samples must be judged."""
