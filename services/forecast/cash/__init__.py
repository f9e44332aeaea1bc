"""What was invoiced, and what do customers owe (FC-7, FC-14)?"""
