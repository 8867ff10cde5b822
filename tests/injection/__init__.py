"""Orders in documents, before a model that obeys every order it reads: nothing may come of them."""
