"""Questions over a tenant's documents, answered sentence by sentence with proof, or refused.

Facts come from the sources alone; a model may only word what the quotes support.
"""
