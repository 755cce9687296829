-- What ended tokens said is looked for and removed.
CREATE INDEX remembered_claims_by_end ON remembered_claims (expires_at);
