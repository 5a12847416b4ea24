"""Entry point of `python -m tinygan SUBCOMMAND`."""

import sys

from tinygan.cli import main

sys.exit(main())
