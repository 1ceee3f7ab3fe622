-- The tables that ts-store -i creates where they are missing. What stands here may be run at any time.
CREATE TABLE IF NOT EXISTS ohlcv_1min (
	symbol    VARCHAR     NOT NULL,
	timestamp TIMESTAMPTZ NOT NULL,
	open      NUMERIC,
	high      NUMERIC,
	low       NUMERIC,
	close     NUMERIC,
	volume    BIGINT,
	PRIMARY KEY (symbol, timestamp)
);
CREATE TABLE IF NOT EXISTS ohlcv_hourly (LIKE ohlcv_1min INCLUDING ALL);

CREATE TABLE IF NOT EXISTS ohlcv_daily (
	symbol     VARCHAR NOT NULL,
	date       DATE    NOT NULL,
	open       NUMERIC,
	high       NUMERIC,
	low        NUMERIC,
	close      NUMERIC,
	volume     BIGINT,
	created_at TIMESTAMPTZ DEFAULT NOW(),
	PRIMARY KEY (symbol, date)
);
CREATE TABLE IF NOT EXISTS ohlcv_weekly (LIKE ohlcv_daily INCLUDING ALL);
CREATE TABLE IF NOT EXISTS ohlcv_monthly (LIKE ohlcv_daily INCLUDING ALL);
