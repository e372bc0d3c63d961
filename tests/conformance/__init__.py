"""What goes to CDC, held against validators that nobody here wrote."""
