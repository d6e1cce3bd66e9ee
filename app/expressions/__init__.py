"""The two small languages: Arcade expressions (and, later, search conditions). Pure."""
