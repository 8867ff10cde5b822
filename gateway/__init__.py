"""HTTP in, HTTP out. `gateway.app.create_app(rt)` is the whole of it.

Deny by default: every route needs a credential unless `gateway.guard.OPEN` names it, and the tenant
comes from that credential alone. Every error is `application/problem+json` (RFC 9457).
"""
