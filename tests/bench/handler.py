#!/usr/bin/env python3
"""The system that the loader replaces, as it is described, to compare with.

One symbol and timeframe at a time: requests gets a page, the next page after that, and psycopg2
stores the rows with executemany and ON CONFLICT DO NOTHING, or with -c by COPY into a staging table
and INSERT ... ON CONFLICT DO NOTHING from there.

usage: handler.py [-c] [-f bars.ndjson] from to symbol...
With -f the bars come from a file of records and not from the API (MASSIVE_URL).
"""
import getopt
import io
import json
import os
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import psycopg2
import requests

TABLES = {
    "1min": ("ohlcv_1min", "timestamp", "minute"),
    "hour": ("ohlcv_hourly", "timestamp", "hour"),
    "day": ("ohlcv_daily", "date", "day"),
    "week": ("ohlcv_weekly", "date", "week"),
    "month": ("ohlcv_monthly", "date", "month"),
}
NEW_YORK = ZoneInfo("America/New_York")


def rows_of_api(session, base, symbol, timeframe, first, last):
    """All rows of a symbol in a timeframe, page after page, regular hours only."""
    span = TABLES[timeframe][2]
    url = f"{base}/v2/aggs/ticker/{symbol}/range/1/{span}/{first}/{last}"
    params = {"adjusted": "true", "sort": "asc", "limit": 50000}
    rows = []
    while url:
        reply = session.get(url, params=params, timeout=30)
        reply.raise_for_status()
        page = reply.json()
        for bar in page.get("results") or []:
            at = datetime.fromtimestamp(bar["t"] / 1000, timezone.utc)
            if timeframe in ("1min", "hour"):
                there = at.astimezone(NEW_YORK)
                minute = there.hour * 60 + there.minute
                if not (570 if timeframe == "1min" else 540) <= minute < 960:
                    continue
                key = at
            else:
                key = at.astimezone(NEW_YORK).date()
            rows.append((symbol, key, bar["o"], bar["h"], bar["l"], bar["c"], int(bar["v"])))
        following = page.get("next_url")
        url = base + following[following.index("/v2/"):] if following else None
        params = None
    return rows


def groups_of_file(path):
    """The bars of a file of records, by symbol and timeframe."""
    groups = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            bar = json.loads(line)
            if bar.get("type") != "bar":
                continue
            key = bar.get("timestamp") or bar["date"]
            groups.setdefault((bar["symbol"], bar["timeframe"]), []).append(
                (bar["symbol"], key, bar["open"], bar["high"], bar["low"], bar["close"],
                 bar["volume"]))
    return groups


def store(connection, timeframe, rows, by_copy):
    table, key, _ = TABLES[timeframe]
    columns = f"symbol, {key}, open, high, low, close, volume"
    with connection.cursor() as cursor:
        if by_copy:
            cursor.execute(f"CREATE TEMP TABLE staging ON COMMIT DROP AS "
                           f"SELECT {columns} FROM {table} LIMIT 0")
            text = io.StringIO("".join("\t".join(map(str, row)) + "\n" for row in rows))
            cursor.copy_expert("COPY staging FROM STDIN", text)
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT * FROM staging "
                           f"ON CONFLICT DO NOTHING")
        else:
            cursor.executemany(f"INSERT INTO {table} ({columns}) "
                               f"VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING", rows)
    connection.commit()


def main():
    options, operands = getopt.getopt(sys.argv[1:], "cf:")
    options = dict(options)
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    count = 0
    if "-f" in options:
        for (_, timeframe), rows in groups_of_file(options["-f"]).items():
            store(connection, timeframe, rows, "-c" in options)
            count += len(rows)
    else:
        session = requests.Session()
        base = os.environ["MASSIVE_URL"]
        for symbol in operands[2:]:
            for timeframe in TABLES:
                rows = rows_of_api(session, base, symbol, timeframe, *operands[:2])
                store(connection, timeframe, rows, "-c" in options)
                count += len(rows)
    print(count)


main()
