"""Import this first: it finds `tinygan` in the checkout.

Under conda and on a cluster the package is not installed, and Python looks in analysis/ alone.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
