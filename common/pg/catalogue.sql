-- The table of a timeframe as it is, in one row; table.c has the numbers of its columns.
-- $1 is the table's name, $2 the type of its key, as a number, $3 as the catalogue and $4 as SQL
-- calls it, $5 whether it is to be written, too.
WITH RECURSIVE rel AS (
	SELECT oid, relkind, relhassubclass AS parts, row_security_active(oid) AS secured, relreplident AS replica,
		format('%s.%I', relnamespace::regnamespace, relname) AS name
	FROM pg_class WHERE oid = to_regclass($1)),
-- Whether something may change each row before it is inserted; TimescaleDB's own trigger, which it had up
-- to 2.22, does not. ROW, BEFORE and INSERT are the lowest bits of tgtype, by pg_trigger.h.
filter AS MATERIALIZED (
	SELECT EXISTS (SELECT FROM rel JOIN pg_trigger ON tgrelid = rel.oid JOIN pg_proc p ON p.oid = tgfoid
		WHERE tgtype & 7 = 7 AND tgenabled IN ('O', 'A')
		AND NOT starts_with(pronamespace::regnamespace::text, '_timescaledb')) AS active),
-- What TimescaleDB says of it, as text: a hypertable has parts before there is a chunk. The statement is
-- hidden in a string, since there may be no TimescaleDB.
hyper AS (
	SELECT query_to_xml(format('SELECT * FROM _timescaledb_catalog.hypertable'
		' WHERE schema_name = %L AND table_name = %L', nspname, relname), true, false, '')::text AS row
	FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE c.oid = to_regclass($1) AND to_regclass('_timescaledb_catalog.hypertable') IS NOT NULL),
-- From a domain to the type below it, perhaps a domain again.
typ(num, oid, mod) AS (
	SELECT attnum, atttypid, atttypmod FROM rel JOIN pg_attribute ON attrelid = rel.oid
	WHERE attnum > 0 AND NOT attisdropped
	UNION ALL
	SELECT num, typbasetype, CASE typtypmod WHEN -1 THEN mod ELSE typtypmod END
	FROM typ JOIN pg_type t ON t.oid = typ.oid WHERE typtype = 'd'),
-- The decimals of NUMERIC(p, s) are those of make_numeric_typmod() in numeric.c.
col AS (
	SELECT a.attnum AS num, a.attname AS name,
		CASE b.typname WHEN 'citext' THEN 25 ELSE b.oid::int8 END AS type,
		format('%s.%I', b.typnamespace::regnamespace, b.typname) AS bare,
		format_type(a.atttypid, a.atttypmod) AS said, format_type(b.oid, typ.mod) AS base,
		a.attgenerated <> '' AS fixed, CASE WHEN b.typname = 'citext' THEN 'citext'
			WHEN NOT collisdeterministic THEN 'collation ' || quote_ident(collname) END AS folds,
		l.collnamespace::regnamespace || '.' || quote_ident(l.collname) AS collation, a.attnotnull AS filled,
		a.attnotnull AND NOT (a.atthasdef OR a.attidentity <> '') AS needed,
		CASE WHEN b.oid = 1700 AND mod >= 4 THEN (((mod - 4) & 2047) # 1024) - 1024 END AS scale
	FROM rel JOIN typ ON true JOIN pg_attribute a ON attrelid = rel.oid AND attnum = typ.num
	JOIN pg_type b ON b.oid = typ.oid AND b.typtype <> 'd' LEFT JOIN pg_collation l ON l.oid = attcollation),
-- Of all unique keys over symbol and one other column the best: the right type, the primary key.
key AS (
	SELECT k.*, i.indimmediate AS immediate, i.indexrelid, s.folds AS twins, s.collation AS by,
		k.filled AND s.filled AS identity FROM rel JOIN pg_index i ON i.indrelid = rel.oid
	JOIN col s ON s.name = 'symbol' AND s.num IN (i.indkey[0], i.indkey[1])
	JOIN col k ON k.num <> s.num AND k.num IN (i.indkey[0], i.indkey[1])
	WHERE indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL AND indnkeyatts = 2
	ORDER BY k.type = $2 DESC, indimmediate DESC, indisprimary DESC, indexrelid LIMIT 1),
want(ord, name, types, text) AS (VALUES
	(1, 'symbol', '{25,1043,1042}'::int8[], 'text'),
	(2, 'open', '{1700,701,700}', 'numeric'),
	(3, 'high', '{1700,701,700}', 'numeric'),
	(4, 'low', '{1700,701,700}', 'numeric'),
	(5, 'close', '{1700,701,700}', 'numeric'),
	(6, 'volume', '{20,23,1700,701,700}', 'bigint, integer or numeric')),
has AS (
	SELECT array_agg(c.base ORDER BY ord) AS base, array_agg(c.scale ORDER BY ord) AS scale,
		array_agg(c.type ORDER BY ord) AS type, min(c.bare) FILTER (WHERE ord = 1) AS symbol,
		string_agg(c.name || ' ' || c.said, ', ' ORDER BY ord) AS said,
		string_agg(c.name || ' ' || c.said, ', ' ORDER BY ord) FILTER (WHERE c.scale IS NOT NULL) AS rounded,
		string_agg(c.name || ' ' || c.said, ', ' ORDER BY ord) FILTER (WHERE c.type IN (700, 701)) AS binary
	FROM want w LEFT JOIN col c ON c.name = w.name),
-- Another table of this name, which is not found by it.
other AS (
	SELECT nspname AS name, has_schema_privilege(n.oid, 'USAGE') AS usable
	FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	WHERE relname = $1 AND relkind IN ('r', 'p') AND nspname !~ '^pg_'
	ORDER BY nspname = ANY (current_schemas(false)) DESC, nspname LIMIT 1),
missing(rights) AS (
	SELECT string_agg(r.name, ', ' ORDER BY r.ord)
	FROM rel JOIN key ON true, (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE')) r(ord, name)
	WHERE (r.name = 'SELECT' OR $5::bool) AND EXISTS (
		SELECT FROM col c WHERE NOT has_column_privilege(rel.oid, c.num, r.name) AND CASE r.name
		WHEN 'UPDATE' THEN c.name IN ('open', 'high', 'low', 'close', 'volume')
		ELSE c.num = key.num OR c.name IN (SELECT name FROM want) END)),
-- Of a table whose updates are published each row must be known by something.
published(fault) AS (
	SELECT format('its updates are published, which needs a replica identity: ALTER TABLE %s REPLICA IDENTITY %s', rel.name,
		CASE WHEN own.is THEN 'DEFAULT' WHEN key.identity THEN format('USING INDEX %I', i.relname) ELSE 'FULL' END)
	FROM rel JOIN key ON true JOIN pg_class i ON i.oid = key.indexrelid,
		LATERAL (SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = rel.oid AND indisprimary) AS is) own
	WHERE $5::bool AND (rel.replica = 'n' OR (rel.replica = 'd' AND NOT own.is)) AND EXISTS (
		SELECT FROM pg_publication, pg_get_publication_tables(pubname) g WHERE pubupdate AND g.relid = rel.oid))
SELECT concat_ws('; ', format('%s (%s), key (symbol, %s %s)', rel.name, has.said, key.name, key.said),
		CASE WHEN made.parts THEN 'in partitions or chunks' END,
		CASE WHEN filter.active THEN 'rows go through a trigger, so they are inserted, which is slower than COPY' END,
		'more decimals are rounded: ' || has.rounded, NULLIF(notes.text, '')),
	notes.text, rel.name, quote_ident(key.name), has.symbol, key.name,
	CASE WHEN NOT rel.secured AND NOT filter.active THEN
		format('COPY %1$s (symbol, %2$s, %5$s) FROM STDIN (FORMAT binary)', VARIADIC f.a) END,
	-- Symbols that the table holds under another spelling between two keys, or that an earlier one equals.
	CASE WHEN key.twins <> '' THEN format('SELECT symbol, other FROM (SELECT k.symbol, COALESCE((SELECT t.symbol::text FROM %1$s t'
		' WHERE t.symbol = k.symbol::%4$s AND t.%2$s >= $2::%3$s AND t.%2$s <= $3::%3$s LIMIT 1), first_value(k.symbol) OVER'
		' (PARTITION BY k.symbol::%4$s COLLATE %13$s ORDER BY n)) AS other FROM unnest($1::text[]) WITH ORDINALITY k(symbol, n)) x'
		' WHERE symbol COLLATE "C" <> other COLLATE "C"', VARIADIC f.a) END,
	format('SELECT %2$s, %5$s FROM %1$s WHERE symbol = $1::%4$s AND %2$s >= $2::%3$s AND %2$s <= $3::%3$s',
		VARIADIC f.a),
	format('SELECT count(*) FILTER (WHERE %2$s >= $3::%3$s), count(*) FILTER (WHERE %2$s < $5::%3$s) FROM %1$s'
		' WHERE symbol = $1::%4$s AND %2$s >= $2::%3$s AND %2$s <= $4::%3$s', VARIADIC f.a),
	format('DELETE FROM %1$s WHERE symbol = $1::%4$s AND %2$s >= $2::%3$s AND %2$s <= $3::%3$s'
		' AND %2$s = ANY ($4::%3$s[]) RETURNING %2$s', VARIADIC f.a),
	-- The cast to the column's own type lets the index be used.
	format('SELECT k.slot, %5$s FROM unnest($1::int4[], $2::text[], $3::%3$s[]) k(slot, symbol, key)'
		' JOIN %1$s t ON t.symbol = k.symbol::%4$s AND t.%2$s = k.key'
		' WHERE t.%2$s >= $4::%3$s AND t.%2$s <= $5::%3$s', VARIADIC f.a),
	-- In the order of the slots, so that two writers of the same bars never lock crosswise.
	format('INSERT INTO %1$s (symbol, %2$s, %5$s) SELECT symbol, key, %5$s FROM %11$s'
		' ORDER BY slot ON CONFLICT (symbol, %2$s) DO NOTHING RETURNING %2$s, %5$s, symbol::text', VARIADIC f.a),
	format('UPDATE %1$s t SET (%5$s) = ROW(s.o, s.h, s.l, s.c, s.v) FROM (SELECT slot, symbol::%4$s, key,'
		' open::%6$s, high::%7$s, low::%8$s, close::%9$s, volume::%10$s FROM %11$s)'
		' s(slot, symbol, key, o, h, l, c, v) WHERE %12$s AND t.%2$s = s.key'
		' AND (%5$s) IS DISTINCT FROM (s.o, s.h, s.l, s.c, s.v)'
		' RETURNING s.slot, (%5$s) IS DISTINCT FROM (s.o, s.h, s.l, s.c, s.v)', VARIADIC f.a),
	-- A missing table and a missing column are told before a missing key.
	COALESCE(
	CASE WHEN rel.oid IS NULL AND NOT other.usable
		THEN format('is in schema %I, on which USAGE is not granted to %I', other.name, current_user)
	WHEN rel.oid IS NULL AND other.usable
		THEN format('is in schema %I, which is not in the search_path', other.name)
	WHEN rel.oid IS NULL THEN 'does not exist; create it, or run ts-store -i' END,
	CASE WHEN key.type <> $2 THEN format('its key column %s is %s, not %s', key.name, key.said, $3::text) END,
	CASE WHEN rel.relkind NOT IN ('r', 'p') THEN 'is not a table' END,
	(SELECT CASE
		WHEN w.name IS NULL THEN format('column %s must not be null, and has no default', c.name)
		WHEN c.fixed THEN format('column %s is generated', c.name)
		ELSE format('column %s is %s, not %s', c.name, c.said, w.text) END
	FROM col c LEFT JOIN want w ON w.name = c.name
	WHERE CASE WHEN w.name IS NULL THEN c.needed AND c.num <> key.num
	ELSE c.fixed OR c.type <> ALL (w.types) END ORDER BY c.num LIMIT 1),
	(SELECT format('has no column %s', w.name) FROM want w
	WHERE NOT EXISTS (SELECT FROM col c WHERE c.name = w.name) ORDER BY w.ord LIMIT 1),
	CASE WHEN key.num IS NULL
		THEN format('has no primary key or unique constraint over symbol and one %s column', $3::text)
	WHEN NOT key.immediate
		THEN format('its key over symbol and %s is deferrable, by which no conflict is found: make it NOT DEFERRABLE', key.name)
	WHEN missing.rights IS NOT NULL
		THEN format('%1$s not granted to %3$I: GRANT %1$s ON %2$s TO %3$I', missing.rights, rel.name, current_user)
	ELSE (SELECT fault FROM published) END,
	-- Such a column must not get the start.
	CASE WHEN key.name ~ '_end(ing)?$'
		THEN format('its key column %s is called for the end of the period, but keys are its start', key.name) END),
	rel.oid IS NULL AND other.name IS NULL,
	made.parts, made.packed,
	has.type[2], has.type[3], has.type[4], has.type[5], has.type[6],
	has.scale[2], has.scale[3], has.scale[4], has.scale[5], has.scale[6]
FROM has CROSS JOIN missing CROSS JOIN filter LEFT JOIN rel ON true LEFT JOIN key ON true LEFT JOIN other ON true LEFT JOIN hyper ON true,
	LATERAL (SELECT concat_ws('; ', 'the nearest binary number is stored, not each decimal: ' || has.binary,
		'symbols that are equal by ' || key.twins || ' are one key: of two spellings one is refused',
		CASE WHEN rel.secured THEN 'row security is active, under which COPY is not possible: rows are inserted, which is slower'
		END) AS text) notes,
	LATERAL (SELECT rel.parts OR COALESCE(hyper.row LIKE '%<row>%', false) AS parts,
		COALESCE(hyper.row LIKE '%<compression_state>1<%', false) AS packed) made,
	LATERAL (SELECT ARRAY[rel.name, quote_ident(key.name), $4, has.symbol, 'open, high, low, close, volume']
		|| has.base[2:6] || format('unnest($1::int4[], $2::text[], $3::%s[], $4::numeric[], $5::numeric[],'
		' $6::numeric[], $7::numeric[], $8::int8[]) u(slot, symbol, key, open, high, low, close, volume)', $4)
		|| (CASE WHEN made.parts THEN format('t.symbol = $9::text::%1$s AND t.%2$I >= $10::%3$s'
		' AND t.%2$I <= $11::%3$s AND t.%2$I = ANY ($3)', has.symbol, key.name, $4)
		ELSE 't.symbol = s.symbol' END || CASE WHEN key.twins <> ''
		THEN ' AND t.symbol::text COLLATE "C" = s.symbol::text COLLATE "C"' ELSE '' END) || key.by AS a) f
