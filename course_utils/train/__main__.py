"""`python -m course_utils.train`, also under torchrun."""

import sys

from course_utils.train.command import main

if __name__ == "__main__":
    sys.exit(main())
