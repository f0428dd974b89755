"""The controls of the design: what routers, egress addresses, nodes, storage and access rights make of the zones.

One module per control computes plain facts from a Scene; rules read them through `Context.of` and only word findings.
"""
