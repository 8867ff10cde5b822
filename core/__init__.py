"""The words every room speaks: values, errors, ports, settings. Imports nothing of the house."""
