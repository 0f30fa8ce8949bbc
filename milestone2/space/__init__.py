"""The app as something to publish: a Streamlit server, or a page that needs none."""
