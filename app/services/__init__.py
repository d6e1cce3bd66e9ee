"""Use cases: one function, one transaction. Ports say what they need from outside."""
