"""How long a test waits for what has to come."""

PATIENCE = 600  # seconds: more than a single step takes on the busiest machine, and what hangs ends all the same
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-kernel-startup-timeout", str(PATIENCE)]  # its own is a minute
