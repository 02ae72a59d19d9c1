"""lmms-eval (https://github.com/EvolvingLMMs-Lab/lmms-eval) drives our models, and streams as a task for it."""
