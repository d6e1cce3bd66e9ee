"""HTTP and websocket: decode, authenticate, call a use case, encode."""
