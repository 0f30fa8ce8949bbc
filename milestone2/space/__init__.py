"""Build the app as a folder for a Hugging Face Space, and publish it: `python -m milestone2.space --help`."""
