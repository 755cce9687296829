-- Which database this is. A running instance remembers both columns, and so notices that it talks to another database,
-- or to the same one put back to an older state.
CREATE TABLE weft_database (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Copied by a back-up and its restore: they are the same database at another time.
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Milliseconds since 1970 when all documents were last given a new epoch. Only grows, unless the database goes back.
  generation bigint NOT NULL DEFAULT 0
);
INSERT INTO weft_database DEFAULT VALUES;

-- Gives every document a new epoch: what is left of an older state counts on from numbers that its readers have seen for
-- other rows. With p_generation only if that is still the generation, so that of all who notice one does it. Returns the
-- number of documents, NULL when another has done it.
CREATE FUNCTION weft_renew_epochs(p_generation bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  present bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  renewed bigint;
BEGIN
  UPDATE weft_database SET generation = greatest(generation + 1, present)
  WHERE p_generation IS NULL OR generation = p_generation;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- In the order of weft_append.
  PERFORM FROM documents ORDER BY id FOR UPDATE;
  UPDATE documents SET epoch = greatest(epoch + 1, present);
  GET DIAGNOSTICS renewed = ROW_COUNT;
  RETURN renewed;
END
$$;
