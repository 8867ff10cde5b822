"""The LangGraph supervisor and the agents: verbs that fetch values, call crafts, record results."""
