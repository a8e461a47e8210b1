"""What a grading leaves in OUT: `files` to read, the `store` of what is done, and `lateness`."""
