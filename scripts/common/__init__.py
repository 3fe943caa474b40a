"""Options, tables, figures and networks of scripts in several folders."""
