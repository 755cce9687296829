-- Who may do what. `pattern` is a document's name, or `prefix*` for all whose names begin like it. Every change
-- bumps the policy revision of the documents it reaches in the same transaction: an update that was allowed
-- under an older revision is not committed (see weft_bump_policy_revision).
CREATE TABLE grants (
  tenant     text        NOT NULL,
  pattern    text        NOT NULL,
  subject    text        NOT NULL,
  role       text        NOT NULL,
  expires_at timestamptz,
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, pattern, subject)
);

-- "What can this person see": by subject, where the primary key answers "who may see this".
CREATE INDEX grants_by_subject ON grants (tenant, subject, pattern);

-- Roles that a tenant defined for itself. `writable` NULL: all root types.
CREATE TABLE roles (
  tenant     text        NOT NULL,
  name       text        NOT NULL,
  can_read   boolean     NOT NULL,
  presence   boolean     NOT NULL,
  writable   text[],
  manage     boolean     NOT NULL,
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, name)
);

-- Which person a Yjs client id belongs to in a document. The first to show it has it, for ever: whoever could
-- take over an id could write in another person's name.
CREATE TABLE client_bindings (
  tenant    text        NOT NULL,
  document  text        NOT NULL,
  client_id bigint      NOT NULL,
  person    text        NOT NULL,
  bound_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, document, client_id)
);

-- Loading a document takes its latest bindings.
CREATE INDEX client_bindings_latest ON client_bindings (tenant, document, bound_at DESC);
