"""What readers see: the page that a study leaves, and numbers, tables and figures as text."""
