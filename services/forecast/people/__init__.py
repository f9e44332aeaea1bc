"""Who is signed in, what may they narrow a question to, and how far do the facts reach?"""
