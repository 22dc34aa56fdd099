# SPDX-License-Identifier: Apache-2.0
"""Generated requests against our own document, by Schemathesis."""
