"""What Weft remembers of a person: conversations for a while, and what they want to be known.

Three paths of long-term memory, each of one tenant and one actor: `/summaries/{actor}/{session}`,
`/preferences/{actor}`, `/facts/{actor}`. All of it is filled by rules, from the person's own words
and from quotes; sealed by the tenant's key; shown to, changed and erased by its person. Nothing in
it is ever an instruction: preferences are words of a closed list, facts are only shown.
"""
