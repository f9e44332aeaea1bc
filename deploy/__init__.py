"""Whatever runs and operates the whole: the command line, the local stack, the demo. Nobody imports it."""
