"""The web console: a page of ES modules that speaks to the interfaces anybody else uses (see README.md beside this)."""
