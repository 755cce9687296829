DROP FUNCTION weft_audit_prune(timestamptz);

-- Removes at most p_limit rows that are older than p_age, the oldest first, and returns how many that were. In portions
-- because writers wait for the turn that the note takes. Rows that another is removing are left to it. What went is noted
-- once for each tenant; notes that went are not noted, else each would leave another for ever.
-- By the clock of the database: an instance whose clock is ahead would remove what is to stay.
CREATE FUNCTION weft_audit_prune(p_age interval, p_limit int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  horizon timestamptz := clock_timestamp() - p_age;
  removed bigint;
BEGIN
  PERFORM set_config('weft.audit_prune', 'on', true);
  WITH old AS (
    SELECT id FROM audit WHERE at < horizon ORDER BY at LIMIT p_limit FOR UPDATE SKIP LOCKED
  ), gone AS (
    DELETE FROM audit USING old WHERE audit.id = old.id RETURNING audit.tenant, audit.action
  ), counted AS (
    SELECT tenant, count(*) AS rows, count(*) FILTER (WHERE action <> 'audit.prune') AS entries FROM gone GROUP BY tenant
  ), noted AS (
    INSERT INTO audit (entry, tenant, at, action, actor, detail)
    SELECT gen_random_uuid(), tenant, clock_timestamp(), 'audit.prune', 'system',
      json_build_object('removed', entries, 'before', horizon)
    FROM counted WHERE entries > 0
  )
  SELECT coalesce(sum(rows), 0) INTO removed FROM counted;
  PERFORM set_config('weft.audit_prune', 'off', true);
  RETURN removed;
END
$$;
