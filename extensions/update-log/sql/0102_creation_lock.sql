-- A change of grants bumps the revision of every document that it reaches. One that is being made at that moment is
-- not visible yet: it would begin with the revision under which somebody read the old grants, and their updates would
-- pass the barrier. So documents are made under a shared lock of their tenant and the lock of their name; a change of
-- a pattern takes the tenant's lock alone, a change of a name the name's. All do so before they lock any row. Names
-- and tenants whose hashes are the same only wait for each other.
CREATE FUNCTION weft_lock_creation(p_tenant text, p_name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('weft/' || p_tenant, 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('weft/' || p_tenant || '/' || p_name, 0));
END
$$;

CREATE FUNCTION weft_document_made() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM weft_lock_creation(NEW.tenant, NEW.name);
  RETURN NEW;
END
$$;

CREATE TRIGGER documents_made BEFORE INSERT ON documents
FOR EACH ROW EXECUTE FUNCTION weft_document_made();

CREATE OR REPLACE FUNCTION weft_bump_policy_revision(p_tenant text, p_pattern text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  affected bigint;
  concerned bigint[];
BEGIN
  -- A statement of its own, so that the next one sees what the lock was waited for.
  PERFORM pg_advisory_xact_lock(hashtextextended(
    CASE WHEN right(p_pattern, 1) = '*' THEN 'weft/' || p_tenant ELSE 'weft/' || p_tenant || '/' || p_pattern END, 0));
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
