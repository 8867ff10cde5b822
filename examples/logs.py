"""Service logs."""


def service_log(tenant: str) -> bytes:
    return b"[]\n"
