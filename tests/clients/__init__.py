# SPDX-License-Identifier: Apache-2.0
"""The contract with real clients: curl, Python requests, Go, jose and two versions of runapy."""
