"""A simulated accelerator, as far as a student's program can tell; `simulation` turns it on."""
