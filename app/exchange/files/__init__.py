"""Files as they are read and written: taken apart without holding them whole."""
