"""Service logs: a quiet month with the incidents that the resolutions tell of."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

DAYS = 19  # 1 to 19 November 2026
PER_DAY = 15
START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Burst:
    """`times` entries of one kind, spread over `minutes` from `at`."""

    at: str
    minutes: int
    times: int
    service: str
    level: str
    code: str
    message: str


@dataclass(frozen=True)
class Quiet:
    """A line of everyday work; `{n}` is filled with a number."""

    service: str
    level: str
    code: str
    message: str


CLEARPAY = (
    Burst("2026-11-03T02:10", 27, 9, "bank-connector", "ERROR", "CP-1301",
          "SFTP connection to Cascade National Bank timed out after 30 s"),
    Burst("2026-11-03T02:15", 25, 6, "recon-engine", "ERROR", "CP-1203",
          "Settlement file of Cascade National Bank missing, 1204 payments wait"),
    Burst("2026-11-03T02:38", 1, 1, "bank-connector", "WARN", "",
          "Connector cascade switched to the secondary endpoint"),
    Burst("2026-11-03T02:43", 1, 1, "bank-connector", "INFO", "",
          "Settlement file of Cascade National Bank fetched from the secondary endpoint"),
    Burst("2026-11-03T02:51", 1, 1, "recon-engine", "INFO", "",
          "Reconciliation of Cascade National Bank finished, 1204 payments matched"),
    Burst("2026-11-09T14:05", 16, 8, "fx-service", "ERROR", "CP-1402",
          "Newest rate is older than 15 minutes, provider Meridian Rates answers 401"),
    Burst("2026-11-09T14:06", 15, 11, "payment-core", "WARN", "CP-1142",
          "Cross-currency payment held until a fresh rate arrives"),
    Burst("2026-11-09T14:22", 1, 1, "payment-core", "INFO", "",
          "Fresh rate received, 86 held payments released"),
    Burst("2026-11-12T09:30", 27, 14, "ledger-sync", "ERROR", "CP-1601",
          "Database pool exhausted, 40 of 40 connections in use for more than 10 s"),
    Burst("2026-11-12T09:31", 26, 17, "gateway-api", "ERROR", "CP-1009",
          "Upstream ledger-sync did not answer within 8 s, answered 504"),
    Burst("2026-11-12T09:33", 14, 4, "report-builder", "WARN", "",
          "Export cancelled by the customer, connection not returned"),
    Burst("2026-11-12T09:58", 1, 1, "report-builder", "INFO", "",
          "Release rolled back from 6.4.2 to 6.4.1"),
    Burst("2026-11-16T08:00", 1, 1, "report-builder", "INFO", "", "Release 6.4.3 started"),
    Burst("2026-11-18T18:00", 40, 23, "payment-core", "WARN", "CP-1042",
          "Payment parked as a duplicate, client fjordbank-mobile 3.9"),
)  # fmt: skip
CLEARPAY_QUIET = (
    Quiet("gateway-api", "INFO", "", "POST /v1/payments 201 in {n} ms"),
    Quiet("gateway-api", "INFO", "", "GET /v1/payments 200 in {n} ms"),
    Quiet("payment-core", "INFO", "", "Payment batch settled, {n} payments"),
    Quiet("recon-engine", "INFO", "", "Matching round finished, {n} lines matched"),
    Quiet("fx-service", "INFO", "", "Rates refreshed for 31 currencies in {n} ms"),
    Quiet("auth-service", "INFO", "", "Access token issued, {n} live sessions"),
    Quiet("notify-service", "INFO", "", "Webhook delivered on the first try in {n} ms"),
    Quiet("payout-scheduler", "INFO", "", "Payout batch completed, {n} payouts"),
    Quiet("ledger-sync", "INFO", "", "Checkpoint written, {n} postings"),
    Quiet("recon-engine", "WARN", "CP-1201", "{n} bank lines unmatched after 3 rounds"),
    Quiet("gateway-api", "WARN", "CP-1007", "Client reached 600 requests a minute, {n} refused"),
    Quiet("payment-core", "WARN", "CP-1103", "Settlement account short, {n} payments wait"),
)
MEDIOPS = (
    Burst("2026-11-04T06:12", 38, 13, "hl7-engine", "ERROR", "MO-2110",
          "St. Brigid laboratory: message refused with AE, segment PV1 missing"),
    Burst("2026-11-04T06:13", 37, 9, "hl7-engine", "WARN", "MO-2105",
          "St. Brigid laboratory: no ACK within 30 s, message queued again"),
    Burst("2026-11-04T06:40", 1, 1, "hl7-engine", "WARN", "", "318 messages wait in st-brigid-lab"),
    Burst("2026-11-04T06:53", 1, 1, "hl7-engine", "INFO", "", "Queue st-brigid-lab is empty"),
    Burst("2026-11-10T11:31", 9, 16, "audit-log", "ERROR", "MO-2704",
          "Access not written: no space left on the audit volume"),
    Burst("2026-11-10T11:31", 9, 21, "chart-service", "ERROR", "MO-2704",
          "Chart not opened because the access could not be logged"),
    Burst("2026-11-10T11:39", 1, 1, "audit-log", "INFO", "",
          "Audit volume enlarged from 500 GB to 800 GB"),
    Burst("2026-11-13T07:20", 200, 17, "scheduling", "WARN", "MO-2501",
          "Slot of 16 November booked by portal and front desk"),
    Burst("2026-11-13T19:00", 1, 1, "scheduling", "INFO", "", "Release 11.2.1 started"),
    Burst("2026-11-17T20:05", 28, 10, "chart-service", "ERROR", "MO-2701",
          "Replica lag above 60 s, charts may be out of date"),
    Burst("2026-11-17T20:18", 1, 1, "import-service", "WARN", "", "Replica lag 372 s, its worst"),
    Burst("2026-11-17T20:21", 1, 1, "import-service", "INFO", "",
          "Import for Lakeside Clinic paused, 1.2 of 2.1 million observations done"),
    Burst("2026-11-16T03:10", 90, 2, "results-service", "ERROR", "MO-2309",
          "Critical result of ward 5B not confirmed within 30 minutes"),
)  # fmt: skip
MEDIOPS_QUIET = (
    Quiet("chart-service", "INFO", "", "Chart opened in {n} ms"),
    Quiet("fhir-api", "INFO", "", "GET Observation 200 in {n} ms"),
    Quiet("fhir-api", "INFO", "", "POST Bundle 200 in {n} ms"),
    Quiet("hl7-engine", "INFO", "", "ADT messages acknowledged, {n} in the last hour"),
    Quiet("hl7-engine", "INFO", "", "ORU messages acknowledged, {n} in the last hour"),
    Quiet("scheduling", "INFO", "", "Reminders sent, {n} messages"),
    Quiet("medication", "INFO", "", "Formulary import finished, {n} changes"),
    Quiet("imaging", "INFO", "", "Study stored, {n} images"),
    Quiet("auth-service", "INFO", "", "Badge sign-in, {n} live sessions"),
    Quiet("auth-service", "WARN", "MO-2004", "Badge not recognised at reader {n}"),
    Quiet("fhir-api", "WARN", "MO-2207", "Search would give more than {n}0000 resources"),
    Quiet("medication", "WARN", "MO-2402", "Level 3 interaction alert overridden, case {n}"),
)
_PLANS = {"clearpay": (CLEARPAY, CLEARPAY_QUIET, 1), "mediops": (MEDIOPS, MEDIOPS_QUIET, 2)}


def entries(tenant: str) -> list[dict[str, Any]]:
    """The log lines in order of time."""
    bursts, quiet, seed = _PLANS[tenant]
    dice = random.Random(seed)
    lines = [line for burst in bursts for line in _burst(burst, dice)]
    for day in range(DAYS):
        for slot in range(PER_DAY):
            # Nothing quiet falls into the same minute twice, and warnings stay rare.
            at = START + timedelta(days=day, minutes=96 * slot + int(dice.random() * 90))
            at += timedelta(seconds=dice.random() * 60)
            pick = quiet[int(dice.random() ** 1.4 * len(quiet))]
            number = 3 + int(dice.random() * 180)
            message = pick.message.format(n=number)
            lines.append(_line(at, pick.service, pick.level, pick.code, message, dice))
    return sorted(lines, key=lambda line: str(line["timestamp"]))


def _burst(burst: Burst, dice: random.Random) -> list[dict[str, Any]]:
    begin = datetime.fromisoformat(burst.at).replace(tzinfo=UTC)
    step = burst.minutes * 60 / burst.times
    return [
        _line(begin + timedelta(seconds=step * (n + 0.9 * dice.random())), burst.service,
              burst.level, burst.code, burst.message, dice)
        for n in range(burst.times)
    ]  # fmt: skip


def _line(
    at: datetime, service: str, level: str, code: str, message: str, dice: random.Random
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "level": level,
        "service": service,
        "host": f"{service}-{1 + int(dice.random() * 3)}",
        "trace_id": f"{int(dice.random() * 2**48):012x}",
        "message": message,
    }
    if code:
        line["error_code"] = code
    return line


def service_log(tenant: str) -> bytes:
    """`microservice-logs.json`: a JSON list, one entry a line."""
    lines = (json.dumps(line, ensure_ascii=False) for line in entries(tenant))
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()
