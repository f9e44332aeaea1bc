"""What was a currency worth in the company's on a day, as known when?"""
