"""Looking at level sets: scenes as plain arrays, a page that shows them, a figure for notebooks."""
