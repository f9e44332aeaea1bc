"""What was to be reached in a period, by the company, a team or a member (PROC-4)?"""
