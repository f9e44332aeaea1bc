"""The demo company: its history as one import file, and a simulator that keeps its people at work."""
