"""Who listens to what on this node, and how a message reaches them."""
