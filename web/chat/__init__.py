"""`/v1/chat/completions` and `/v1/models`: streams asked as any OpenAI client asks a model."""
