# SPDX-License-Identifier: Apache-2.0
"""Every way to get a token and every use of one, while its holder is in every state."""
