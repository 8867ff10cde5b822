"""Questions over a tenant's documents, answered sentence by sentence with proof, or refused.

Facts come from the sources alone; a model may only word what the quotes support.
"""

from agents.answers.asking import answer_text, ask, stream
from agents.answers.values import Answer, Question

__all__ = ["Answer", "Question", "answer_text", "ask", "stream"]
