"""The pure part of the kernel: rules without clock, randomness or input and output."""
