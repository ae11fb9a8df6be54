"""``python -m disvae.cli``."""

import sys

from disvae.cli.main import main

sys.exit(main())
