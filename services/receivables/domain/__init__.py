"""The rules of receivables: pure, without clock, chance or input and output."""
