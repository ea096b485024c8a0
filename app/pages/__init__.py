"""The single-page applications that the server hands to browsers: the console and the playground."""
