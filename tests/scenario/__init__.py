# SPDX-License-Identifier: Apache-2.0
"""A running server, the traffic with it, and what must be true of every answer."""
