# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load: what was acknowledged is there."""
