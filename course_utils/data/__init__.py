"""Data that comes with the course or by pip; nothing is fetched when it is imported.

dates    calendar dates as people write them in many languages (Unicode's CLDR, through babel), and in ISO form
digits   strings of digits and their reversal
text     vocabulary, padding and batches for any pairs of strings
shop     a small catalogue, its queries and simulated clicks
"""
