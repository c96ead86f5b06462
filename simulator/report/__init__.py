"""Reports: text on the terminal, HTML, pictures and files."""
