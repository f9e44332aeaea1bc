"""The rules of what forecast tells by itself: pure, without clock, chance or input and output."""
