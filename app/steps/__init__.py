"""What runs a step: executors, the runner, timers."""
