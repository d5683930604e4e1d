"""Reports: each kind of result as one, and the HTML page that shows it."""
