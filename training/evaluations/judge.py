"""A language model that judges captions, behind an OpenAI-compatible endpoint."""

from dataclasses import dataclass

import httpx

from training.errors import BadData


@dataclass(frozen=True, slots=True)
class Judge:
    """Where the judge answers.

    Attributes:
        url: Up to and with `/v1`.
        model: Its name there.
    """

    url: str
    model: str

    def ask(self, prompt: str) -> str:
        """Return the reply, greedy.

        Raises:
            BadData: If the judge cannot be reached, or replies with something else.
        """
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": 256,
        }
        try:
            reply = httpx.post(f"{self.url}/chat/completions", json=body, timeout=60)
            reply.raise_for_status()
            return str(reply.json()["choices"][0]["message"]["content"])
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
            raise BadData(f"the judge at {self.url} did not answer: {error}") from None
