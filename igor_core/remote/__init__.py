"""What runs elsewhere: Python 3.6 or later, its standard library only."""
