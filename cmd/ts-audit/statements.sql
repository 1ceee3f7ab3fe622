-- The statements of an audit; sql.c makes them of these lines. {key} and its like are the words of the table that
-- is counted, {days.key} and {hours.key} those of the tables that it is compared with; {@rows} is another statement.
-- A line behind ?flag is taken where that holds, behind ?!flag where it does not.
--
-- $1 is an array of symbols, $2 and $3 are the first key and the one behind the last. Of rows the key is t: a
-- date's days since 1970, or an instant's whole bars since then. No bar leaves the server.

@among
symbol = ANY ($1::text[]::{symbol}[])

@rows
?intraday (SELECT symbol, bin, e, floor(e / {seconds})::int8 AS t, open, high, low, close, volume FROM
(SELECT symbol::text AS symbol,
?bounds width_bucket({key}, $4::{type}[]) AS bin,
?!bounds 0 AS bin,
?intraday date_part('epoch', {key}) AS e,
?!intraday ({key} - date '1970-01-01') AS t,
{values} FROM {name} WHERE {@among} AND {key} >= $2::{type} AND {key} < $3::{type}
?intraday OFFSET 0) y
OFFSET 0) x

-- Prices and volume of a group of rows x. They are grouped by hash, so the first open and the last close are found
-- as the least and the largest of numbers made of time and price: t * 10^11 + price * 10^4. NULL where a price has
-- more than seven digits before its point.
@rolled
min(t * 100000000000 + (CASE WHEN open < 10000000 THEN open * 10000 END)::int8) AS o, max(high) AS hi, min(low) AS lo,
max(t * 100000000000 + (CASE WHEN close < 10000000 THEN close * 10000 END)::int8) AS c, sum(volume) AS v

-- The largest difference of the four prices of a row x of one table and one rolled up of the other, m; what REAL
-- rounds is no difference.
@difference
greatest(abs(x.open::float8 - (m.o % 100000000000) / 1e4::float8), abs(x.high - m.hi),
abs(x.low - m.lo), abs(x.close::float8 - (m.c % 100000000000) / 1e4::float8))
?real - x.high * 1.2e-7

-- What counts bars by one pass over the table, and compares sessions: those of each symbol and bin, the number of
-- bounds in $4 at or below the key. $5 are the dates of the sessions, $6 the end of the task, $7 and $8 the first
-- date and the one behind the last. Where it compares, it rolls up by the hour first. An index has no volume.
@count
?compared WITH m AS (
SELECT symbol, bin,
?compared t / {hour} AS h,
count(*) AS bars,
count(*) FILTER (WHERE open IS NULL OR high IS NULL OR low IS NULL OR close IS NULL OR
	(volume IS NULL AND left(symbol, 2) <> 'I:')) AS nulls,
count(*) FILTER (WHERE high < low) AS crossed,
?values count(*) FILTER (WHERE high >= low AND (open > high OR open < low OR close > high OR close < low)) AS odd,
?!values 0 AS odd,
-- Off the grid, and the slices with a bar.
?intraday count(*) FILTER (WHERE e <> t * {seconds}) AS off,
?intraday bit_or(CASE WHEN bin % 4 = 2 THEN 1::int8 << ((t * {seconds} % 86400 - {slice.start}) / {slice.seconds})::int4 END) AS filled,
?!intraday 0 AS off, 0 AS filled,
min(t) AS first, max(t) AS last
?compared , {@rolled}
FROM {@rows} GROUP BY 1, 2
?compared , 3), {@sessions}

-- The hour in which regular hours begin may have bars from before them.
@regular
?early FILTER (WHERE h * 3600 > date_part('epoch', ($4::timestamptz[])[bin]))

@sessions
s AS (SELECT symbol, bin, sum(bars) AS bars, sum(nulls) AS nulls, sum(crossed) AS crossed, sum(odd) AS odd,
	sum(off) AS off, bit_or(filled) AS filled, min(first) AS first, max(last) AS last,
	(min(o) {@regular} % 100000000000) / 1e4::float8 AS o, (max(hi) {@regular})::float8 AS hi,
	(min(lo) {@regular})::float8 AS lo, (max(c) {@regular} % 100000000000) / 1e4::float8 AS c,
	(sum(v) {@regular})::float8 AS v FROM m GROUP BY 1, 2)
-- The hours that lie wholly inside regular hours beside what their minutes make.
?hours , g AS (SELECT symbol::text AS symbol, {hours.key} AS key, {hours.values} FROM {hours.name}
?hours 	WHERE {hours.@among} AND {hours.key} >= $2::timestamptz AND {hours.key} < $3::timestamptz),
?hours j AS (SELECT symbol, bin, max({@difference}) AS price, max(abs(x.volume - m.v) - (m.bars + 1) / 2.0
?hours 	{@rounding}) AS volume, count(*) FILTER (WHERE m.bars IS NULL OR x.key IS NULL) AS lost
?hours 	FROM m FULL JOIN (SELECT *, width_bucket(key, $4::timestamptz[]) AS bin,
?hours 		date_part('epoch', key)::int8 / 3600 AS h FROM g) x USING (symbol, bin, h)
?hours 	WHERE bin % 4 = 2 AND h * 3600 >= date_part('epoch', ($4::timestamptz[])[bin])
?hours 	AND h * 3600 + 3600 <= least(date_part('epoch', ($4::timestamptz[])[bin + 1]),
?hours 		date_part('epoch', $6::timestamptz)) GROUP BY 1, 2 HAVING count(key) > 0)
SELECT s.symbol, s.bin, bars, nulls, crossed, odd, off, filled, first, last,
-- How the regular bars of a session stand to its day, of four ratios the middle two; to its hours. In millionths,
-- so that no text of a double needs to be read; NaN becomes very large.
?days (s.hi + d.high IS NOT NULL)::int,
?days (least(greatest(((SELECT (sum(r) - max(r) - min(r)) / 2 FROM (VALUES (s.o / d.open), (s.hi / d.high),
?days 	(s.lo / d.low), (s.c / d.close)) v(r) HAVING count(r) = 4))::float8, -1e9), 1e9) * 1e6)::int8,
?days (least(greatest(((greatest(s.hi - d.high, d.low - s.lo) - {amount}) / d.low)::float8, -1e9), 1e9) * 1e6)::int8,
?days (least(greatest((s.v / d.volume)::float8, -1e9), 1e9) * 1e6)::int8,
?!days 0, NULL, NULL, NULL,
?hours (j.bin IS NOT NULL)::int, (least(greatest((j.price)::float8, -1e9), 1e9) * 1e6)::int8,
?hours (least(greatest((j.volume)::float8, -1e9), 1e9) * 1e6)::int8, j.lost FROM s LEFT JOIN j USING (symbol, bin)
?!hours 0, NULL, NULL, 0 FROM s
?days LEFT JOIN (SELECT symbol::text AS symbol, {days.key} AS key, NULLIF(volume, 0)::float8 AS volume,
?days 	NULLIF(open, 0)::float8 AS open, NULLIF(high, 0)::float8 AS high, NULLIF(low, 0)::float8 AS low,
?days 	NULLIF(close, 0)::float8 AS close FROM {days.name}
?days 	WHERE {days.@among} AND {days.key} >= $7::date AND {days.key} < $8::date) d
?days ON d.symbol = s.symbol AND s.bin % 4 = 2 AND d.key = ($5::date[])[s.bin / 4 + 1]
-- So that all parameters have a type.
WHERE ($5::date[], $6::timestamptz, $7::date, $8::date) IS NOT NULL

@rounding
?real - x.volume * 1.2e-7

-- What compares weeks or months with their days. The bounds ($4) are the first date of each and the one behind its
-- last, $5 and $6 its first and last session. A row of a weekend makes no week; 1970 began on a Thursday. Where the
-- days begin or end within it, they do not make it.
@roll-up
WITH m AS (SELECT symbol, bin, min(t) AS first, max(t) AS last, {@rolled} FROM {days.@rows}
	WHERE bin % 2 = 1 AND (t + 4) % 7 BETWEEN 1 AND 5 GROUP BY 1, 2),
held AS (SELECT symbol, min(first) AS first, max(last) AS last FROM m GROUP BY 1),
w AS (SELECT symbol::text AS symbol, {key} AS key, {values} FROM {name}
	WHERE {@among} AND {key} >= $2::date AND {key} < $3::date)
SELECT m.symbol, m.bin, 0, NULL, NULL, NULL, 1, (least(greatest((price)::float8, -1e9), 1e9) * 1e6)::int8,
(least(greatest((abs(x.volume - m.v))::float8, -1e9), 1e9) * 1e6)::int8, 0
FROM m JOIN held USING (symbol) JOIN w x ON x.symbol = m.symbol AND x.key = ($4::date[])[m.bin],
LATERAL (SELECT {@difference} AS price) p
WHERE held.first <= ($5::date[])[(m.bin + 1) / 2] - date '1970-01-01'
AND held.last >= ($6::date[])[(m.bin + 1) / 2] - date '1970-01-01'

-- The first key of each symbol; it takes $1 alone.
@first
SELECT s,
?intraday floor(date_part('epoch', key))::int8
?!intraday floor(key - date '1970-01-01')::int8
FROM (SELECT s, (SELECT min({key}) FROM {name} WHERE symbol = s::{symbol}) AS key FROM unnest($1::text[]) s) x

-- How the open of a day ($3) stands to the close of another ($2), in thousandths.
@level
SELECT least(b.open::float8 / NULLIF(a.close, 0)::float8 * 1000, 1e9)::int8 FROM {name} a, {name} b
WHERE a.symbol = b.symbol AND a.{@among} AND a.{key} = $2::date AND b.{key} = $3::date
