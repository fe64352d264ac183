"""The judge of typed formulas: reads them, compares them with the derivative asked for, names the slip."""
