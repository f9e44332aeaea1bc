"""The rules of contracts: pure, without clock, chance or input and output."""
