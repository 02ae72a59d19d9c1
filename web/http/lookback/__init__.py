"""Looking back over HTTP: searches, summaries, questions to all streams, and questions to try."""
