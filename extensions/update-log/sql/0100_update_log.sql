-- One row per document. Its lock orders everything that happens to the document: who appends takes the row
-- FOR UPDATE, so seq is handed out in commit order, and a permission change that bumps policy_rev is either
-- before a batch or after it.
CREATE TABLE documents (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Compared byte by byte: the order of pages must not depend on the server's locale.
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- Milliseconds since 1970 when the history began. Changes when the numbers no longer count the same history.
  epoch bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  -- The last seq handed out.
  head bigint NOT NULL DEFAULT 0,
  policy_rev bigint NOT NULL DEFAULT 1,
  mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'strict')),
  title text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Bytes of all updates ever appended.
  bytes bigint NOT NULL DEFAULT 0,
  -- Where the newest snapshot stands; what has come since decides when the next one is due.
  snapshot_seq bigint NOT NULL DEFAULT 0,
  snapshot_bytes bigint NOT NULL DEFAULT 0,
  -- Rows up to this seq are no longer kept.
  pruned_seq bigint NOT NULL DEFAULT 0,
  UNIQUE (tenant, name)
  -- Every append updates head, bytes and updated_at. None is indexed and the page keeps room, so these updates
  -- stay on the page (HOT) and touch no index.
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- The history. No foreign key to documents: its check per row costs more than the insert, and an append holds the
-- document's row anyway.
CREATE TABLE document_updates (
  document_id bigint NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  policy_rev bigint NOT NULL,
  -- Names the attempt to write: finds rows whose COMMIT was answered by nobody.
  batch uuid NOT NULL,
  kind text NOT NULL,
  actor text NOT NULL,
  session text NOT NULL,
  instance text NOT NULL,
  update bytea NOT NULL,
  PRIMARY KEY (document_id, seq)
);
-- Updates are small and packed already. Compressing costs time in the append; EXTERNAL also lets octet_length
-- answer without reading the value.
ALTER TABLE document_updates ALTER COLUMN update SET STORAGE EXTERNAL;

CREATE TABLE document_snapshots (
  document_id bigint NOT NULL,
  -- Holds everything up to and including this seq.
  seq bigint NOT NULL,
  state bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (document_id, seq)
);
ALTER TABLE document_snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

-- Documents that are gone and whose rows still have to go: deleting a long history takes longer than a request may.
CREATE TABLE document_removals (
  document_id bigint PRIMARY KEY,
  removed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Appends a batch: for each document (p_documents and the arrays beside it) a run of rows (p_row_documents and the
-- arrays beside it, in the order of p_documents; the bytes of all rows one after the other in p_updates).
-- A document whose state does not allow it is skipped and reported; the others are written.
--   appended  written now
--   found     written by an earlier attempt of the same batch whose answer was lost
--   stale     policy_rev is not the one the rows were authorized under
--   reload    another epoch, or fewer rows than the caller has seen (then the epoch is renewed here)
--   deleted   there is no such document
CREATE FUNCTION weft_append(
  p_documents bigint[], p_epochs bigint[], p_known bigint[], p_policy_revs bigint[], p_batches uuid[],
  p_counts int[],
  p_row_documents bigint[], p_lengths int[], p_kinds text[], p_actors text[], p_sessions text[],
  p_instance text, p_updates bytea
) RETURNS TABLE (id bigint, outcome text, epoch bigint, head bigint, policy_rev bigint, first_seq bigint, at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  -- Saved means on disk, whatever the server's default is.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  -- In sorted order, so that two batches never wait for each other in a circle. The statement below starts after
  -- the locks are held: it sees everything committed by those it waited for.
  PERFORM 1 FROM documents d WHERE d.id = ANY (p_documents) ORDER BY d.id FOR UPDATE;
  RETURN QUERY
  WITH wanted AS (
    SELECT w.*, sum(w.n) OVER (ORDER BY w.ordinality) - w.n AS start
    FROM unnest(p_documents, p_epochs, p_known, p_policy_revs, p_batches, p_counts)
      WITH ORDINALITY AS w (id, epoch, known, policy_rev, batch, n, ordinality)
  ), judged AS (
    SELECT w.id, w.batch, w.n, w.start, w.policy_rev AS wanted_rev,
      d.epoch, d.head, d.policy_rev, found.seq AS found_seq, found.at AS found_at,
      CASE
        WHEN d.id IS NULL THEN 'deleted'
        WHEN d.epoch <> w.epoch OR d.head < w.known THEN 'reload'
        WHEN found.seq IS NOT NULL THEN 'found'
        WHEN d.policy_rev <> w.policy_rev THEN 'stale'
        ELSE 'appended'
      END AS outcome,
      d.epoch = w.epoch AND d.head < w.known AS regressed
    FROM wanted w
    LEFT JOIN documents d ON d.id = w.id
    LEFT JOIN LATERAL (
      SELECT u.seq, u.at FROM document_updates u
      WHERE d.head > w.known AND u.document_id = w.id AND u.seq > w.known AND u.batch = w.batch
      ORDER BY u.seq LIMIT 1
    ) found ON true
  ), payload AS (
    SELECT r.*, (sum(r.length) OVER (ORDER BY r.ordinality) - r.length)::int AS start
    FROM unnest(p_row_documents, p_lengths, p_kinds, p_actors, p_sessions)
      WITH ORDINALITY AS r (id, length, kind, actor, session, ordinality)
  ), weighed AS (
    SELECT p.id, sum(p.length) AS bytes FROM payload p GROUP BY p.id
  ), advanced AS (
    UPDATE documents d
    SET head = d.head + j.n, bytes = d.bytes + g.bytes, updated_at = clock_timestamp()
    FROM judged j JOIN weighed g ON g.id = j.id
    WHERE d.id = j.id AND j.outcome = 'appended'
    RETURNING d.id, d.updated_at
  ), renewed AS (
    UPDATE documents d
    SET epoch = greatest(d.epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    FROM judged j WHERE d.id = j.id AND j.regressed
    RETURNING d.id, d.epoch
  ), written AS (
    INSERT INTO document_updates
      (document_id, seq, at, policy_rev, batch, kind, actor, session, instance, update)
    SELECT p.id, j.head + p.ordinality - j.start, a.updated_at, j.wanted_rev, j.batch, p.kind, p.actor, p.session,
      p_instance, substring(p_updates FROM p.start + 1 FOR p.length)
    FROM payload p JOIN judged j ON j.id = p.id JOIN advanced a ON a.id = p.id
  )
  SELECT j.id, j.outcome, coalesce(r.epoch, j.epoch),
    CASE WHEN j.outcome = 'appended' THEN j.head + j.n ELSE j.head END,
    j.policy_rev,
    CASE j.outcome WHEN 'appended' THEN j.head + 1 WHEN 'found' THEN j.found_seq END,
    CASE j.outcome WHEN 'appended' THEN a.updated_at WHEN 'found' THEN j.found_at END
  FROM judged j LEFT JOIN advanced a ON a.id = j.id LEFT JOIN renewed r ON r.id = j.id;
END
$$;

-- The permission revision of a document; NULL when there is none. Ask in the same statement as for the grants: both
-- then see the same moment.
CREATE FUNCTION weft_policy_revision(p_tenant text, p_name text) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT policy_rev FROM documents WHERE tenant = p_tenant AND name = p_name
$$;

-- Call it in the transaction that changes grants. p_pattern is a document's name, or a prefix followed by `*`. When
-- the transaction has committed no batch authorized before it gets in. Tells `weft_policy` about `tenant/pattern`.
-- Returns the number of documents it concerns.
CREATE FUNCTION weft_bump_policy_revision(p_tenant text, p_pattern text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  affected bigint;
  concerned bigint[];
BEGIN
  SELECT array_agg(locked.id) INTO concerned FROM (
    SELECT d.id FROM documents d
    WHERE d.tenant = p_tenant
      AND CASE WHEN right(p_pattern, 1) = '*' THEN starts_with(d.name, left(p_pattern, -1)) ELSE d.name = p_pattern END
    -- The order of weft_append.
    ORDER BY d.id FOR UPDATE
  ) locked;
  UPDATE documents SET policy_rev = policy_rev + 1 WHERE id = ANY (concerned);
  GET DIAGNOSTICS affected = ROW_COUNT;
  PERFORM pg_notify('weft_policy', p_tenant || '/' || p_pattern);
  RETURN affected;
END
$$;
