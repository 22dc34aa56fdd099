# SPDX-License-Identifier: Apache-2.0
"""Makes the shared package of the tests importable from here."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
