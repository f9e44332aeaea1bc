"""Deals: the sales process, products, targets, and the way of a deal through its stages."""
