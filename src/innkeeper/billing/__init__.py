"""What usage costs: prices, accounts of months, invoices. Measuring is hosting's, and is handed in by ``inn.py``."""
