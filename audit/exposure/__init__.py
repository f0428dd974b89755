"""The ways in: entry points that lead from outside the cluster to pods."""
