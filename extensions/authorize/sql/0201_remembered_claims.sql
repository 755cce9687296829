-- What the token of a person says about a document, from the last time that they brought a Yjs client into it. When
-- their edits come back by others, because the server crashed before they were saved, they are not there to show it.
-- It ends when the token does, and another token of the person takes its place.
CREATE TABLE remembered_claims (
  tenant     text        NOT NULL,
  document   text        NOT NULL,
  person     text        NOT NULL,
  -- {"groups": [...], "grants": {name or prefix*: role}}, of which the grants are those that reach the document.
  claims     jsonb       NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, document, person)
);
