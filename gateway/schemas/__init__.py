"""Requests and answers as they travel, one file per noun. Requests refuse unknown fields."""
