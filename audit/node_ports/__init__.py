"""What the nodes of a cluster must be able to say to each other, and whether a firewall lets it through."""
