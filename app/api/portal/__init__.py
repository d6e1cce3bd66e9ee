"""The portal that existing clients log in at before they find the workflow server (python-client.md 3 and 7)."""
