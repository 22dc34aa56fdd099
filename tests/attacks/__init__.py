# SPDX-License-Identifier: Apache-2.0
"""The attack corpus: every row of corpus.tsv against a running server."""
