# SPDX-License-Identifier: Apache-2.0
"""Gateways: the shipped examples with the real programs, and the questions that they ask."""
