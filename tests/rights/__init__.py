# SPDX-License-Identifier: Apache-2.0
"""Who may do what, over all operations: a generated table and a small model that judges it."""
