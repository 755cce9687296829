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

-- Appends a batch of parts, one per document. A part is a run of rows. p_documents (ascending) and the arrays beside
-- it describe the parts; p_parts and the arrays beside it the rows: which part a row belongs to (from 1), its place
-- in the part (from 0), where its bytes begin in p_updates (from 1) and how many there are.
-- A part whose document does not allow it is skipped and reported; the others are written.
--   appended  written now
--   found     written by an earlier attempt of the same part whose answer was lost
--   stale     policy_rev is not the one the rows were authorized under
--   reload    another epoch, or fewer rows than the caller has seen (then the epoch is renewed here)
--   deleted   there is no such document
-- Short statements with fixed plans, rather than one: planning and starting one statement that does it all took five
-- times as long as the writing.
CREATE FUNCTION weft_append(
  p_documents bigint[], p_epochs bigint[], p_known bigint[], p_policy_revs bigint[], p_batches uuid[],
  p_counts int[], p_bytes bigint[],
  p_parts int[], p_places int[], p_starts int[], p_lengths int[], p_kinds text[], p_actors text[], p_sessions text[],
  p_instance text, p_updates bytea
) RETURNS TABLE (id bigint, outcome text, policy_rev bigint, first_seq bigint, at timestamptz)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  document record;
  part int := 0;
  outcomes text[] := array_fill('deleted'::text, ARRAY[cardinality(p_documents)]);
  revs bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_documents)]);
  firsts bigint[] := revs;
  bases bigint[] := revs;
  times timestamptz[] := array_fill(NULL::timestamptz, ARRAY[cardinality(p_documents)]);
  found_seq bigint;
  found_at timestamptz;
  committing timestamptz;
BEGIN
  -- Saved means on disk, whatever the server's default is.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  -- In ascending order, so that two batches never wait for each other in a circle. A row that had to be waited for
  -- comes back as its last holder left it.
  FOR document IN
    SELECT d.id, d.epoch, d.head, d.policy_rev FROM documents d WHERE d.id = ANY (p_documents) ORDER BY d.id FOR UPDATE
  LOOP
    LOOP
      part := part + 1;
      EXIT WHEN p_documents[part] = document.id;
    END LOOP;
    revs[part] := document.policy_rev;
    IF document.epoch <> p_epochs[part] THEN
      outcomes[part] := 'reload';
      CONTINUE;
    END IF;
    IF document.head < p_known[part] THEN
      outcomes[part] := 'reload';
      UPDATE documents SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
      WHERE id = document.id;
      CONTINUE;
    END IF;
    IF document.head > p_known[part] THEN
      -- A statement of its own, later than the lock: it sees what the lock was waited for.
      SELECT u.seq, u.at INTO found_seq, found_at FROM document_updates u
      WHERE u.document_id = document.id AND u.seq > p_known[part] AND u.batch = p_batches[part]
      ORDER BY u.seq LIMIT 1;
      IF FOUND THEN
        outcomes[part] := 'found';
        firsts[part] := found_seq;
        times[part] := found_at;
        CONTINUE;
      END IF;
    END IF;
    IF document.policy_rev <> p_policy_revs[part] THEN
      outcomes[part] := 'stale';
      CONTINUE;
    END IF;
    outcomes[part] := 'appended';
    firsts[part] := document.head + 1;
    bases[part] := document.head + 1;
  END LOOP;

  committing := clock_timestamp();
  UPDATE documents d
  SET head = d.head + p_counts[w.part], bytes = d.bytes + p_bytes[w.part], updated_at = committing
  FROM unnest(p_documents) WITH ORDINALITY AS w (id, part)
  WHERE d.id = w.id AND bases[w.part] IS NOT NULL;

  INSERT INTO document_updates (document_id, seq, at, policy_rev, batch, kind, actor, session, instance, update)
  SELECT p_documents[r.part], bases[r.part] + r.place, committing, p_policy_revs[r.part], p_batches[r.part],
    r.kind, r.actor, r.session, p_instance, substring(p_updates FROM r.start FOR r.length)
  FROM unnest(p_parts, p_places, p_starts, p_lengths, p_kinds, p_actors, p_sessions)
    AS r (part, place, start, length, kind, actor, session)
  WHERE bases[r.part] IS NOT NULL;

  RETURN QUERY
  SELECT w.id, w.outcome, w.rev, w.first, CASE WHEN w.base IS NULL THEN w.found_at ELSE committing END
  FROM unnest(p_documents, outcomes, revs, firsts, bases, times) AS w (id, outcome, rev, first, base, found_at);
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
