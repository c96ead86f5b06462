"""Reports have the width of a document in tests, whatever the terminal the tests run in, and a busy
machine fails no drawn example.
"""

import os

from hypothesis import settings

os.environ.pop("COLUMNS", None)  # parallel workers are given one
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
