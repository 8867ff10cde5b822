"""Local models: embeddings, chat engines, their weights, and the gates that say who may do what.

Promises: nothing is loaded before it is needed; every call ends by its deadline; a model does
only tasks whose evaluation it passed. Without any model the callers go on with rules and quotes.
"""

from models.candidates import Candidate
from models.router import Models

__all__ = ["Candidate", "Models"]
