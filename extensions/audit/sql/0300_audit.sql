-- What was refused, and what administrators did. Rows are only ever added; weft_audit_prune is the one way by which
-- old ones go, and leaves a row that says so.
CREATE TABLE audit (
  id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Given by the writer: a retry of a batch whose answer was lost adds nothing.
  entry    uuid        NOT NULL UNIQUE,
  tenant   text        NOT NULL,
  at       timestamptz NOT NULL,
  action   text        NOT NULL,
  actor    text,
  document text,
  session  text,
  code     text,
  -- How often the same happened within a second.
  count    integer     NOT NULL DEFAULT 1,
  -- Not jsonb, which refuses \u0000: what hostile clients send is what has to be kept.
  detail   json
);

CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_document ON audit (tenant, document, id) WHERE document IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (tenant, actor, id) WHERE actor IS NOT NULL;
CREATE INDEX audit_by_age ON audit (at);

-- Writers take turns, so that ids are handed out in the order of commits. Else a reader who pages by id would pass
-- over rows that commit late.
CREATE FUNCTION weft_audit_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7733540300);
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_turn BEFORE INSERT ON audit FOR EACH STATEMENT EXECUTE FUNCTION weft_audit_turn();

CREATE FUNCTION weft_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('weft.audit_prune', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION weft_audit_refuse();

-- Removes what is older than p_before and returns how many rows that were.
CREATE FUNCTION weft_audit_prune(p_before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  removed bigint;
BEGIN
  PERFORM set_config('weft.audit_prune', 'on', true);
  WITH gone AS (
    DELETE FROM audit WHERE at < p_before RETURNING tenant
  ), counted AS (
    SELECT tenant, count(*) AS n FROM gone GROUP BY tenant
  ), noted AS (
    INSERT INTO audit (entry, tenant, at, action, actor, detail)
    SELECT gen_random_uuid(), tenant, clock_timestamp(), 'audit.prune', 'system',
      json_build_object('removed', n, 'before', p_before)
    FROM counted
  )
  SELECT coalesce(sum(n), 0) INTO removed FROM counted;
  PERFORM set_config('weft.audit_prune', 'off', true);
  RETURN removed;
END
$$;
