"""Reports have the width of a document in tests, whatever the terminal the tests run in."""

import os

os.environ.pop("COLUMNS", None)  # parallel workers are given one
