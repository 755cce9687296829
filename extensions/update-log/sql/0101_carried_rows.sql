-- Rows that somebody else than their author brought back are few, and are looked up whenever a client comes back to
-- their document. An append of other rows does not touch this index.
CREATE INDEX document_updates_carried ON document_updates (document_id, seq) WHERE kind = 'carried';
