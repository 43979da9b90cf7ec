"""Trine beside the servers that one can install, in one run on one machine: `python -m benchmarks --help`.

Enters: nothing but this repository and the package registries. Leaves: a table of medians and ratios. The same items,
the same bytes of each request, the same load generator for all; peers take turns within every round, so that a noisy
machine hurts all of them alike. Figures of one run may be compared with each other, not with those of another machine.
"""
