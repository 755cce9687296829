import { Type } from 'typebox';

/** Bodies are exact: a field that does not exist is a misspelt one. */
const exact = { additionalProperties: false } as const;
/** Of texts that go into queries: Postgres keeps every character but this one, and fails on it. */
const storable = { pattern: '^[^\\u0000]*$' } as const;

export const Name = Type.String({ description: 'The name of a document, percent-encoded.' });

export const DocumentParameters = Type.Object({ name: Name });

export const PermissionChangeBody = Type.Object(
  {
    pattern: Type.String({
      description: 'A document name, the beginning of names followed by *, or * alone.',
    }),
  },
  exact,
);

export const GrantParameters = Type.Object({
  name: Name,
  subject: Type.String({ description: 'user:<id>, group:<name>, tenant:* or link:*, percent-encoded.' }),
});

const Mode = Type.Union([Type.Literal('live'), Type.Literal('strict')], {
  description: 'live shows an edit at once, strict after it is saved.',
});
const Title = Type.String({ ...storable, minLength: 1, maxLength: 200 });
const Timestamp = Type.String({ format: 'date-time' });

export const CreateDocumentBody = Type.Object(
  { title: Type.Optional(Title), mode: Type.Optional(Mode) },
  exact,
);

export const ChangeDocumentBody = Type.Object(
  { title: Type.Optional(Title), mode: Type.Optional(Mode) },
  { ...exact, minProperties: 1 },
);

export const Document = Type.Object({
  name: Type.String(),
  title: Type.String({ description: 'The name, where none was given.' }),
  role: Type.Union([Type.String(), Type.Null()], { description: 'Of whoever asks; null: as administrator.' }),
  mode: Mode,
  createdBy: Type.String(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});

export const Page = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  after: Type.Optional(
    Type.String({ ...storable, maxLength: 1_024, description: 'next of the page before.' }),
  ),
});

export const DocumentPage = Type.Object({
  documents: Type.Array(Document),
  next: Type.Optional(Type.String({ description: 'There may be more: pass it as after.' })),
});

export const UpdatesQuery = Type.Object({
  after: Type.Optional(
    Type.String({ description: '<epoch>:<seq>; without it, from the oldest row that is kept.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000, default: 500 })),
});

export const UpdatesPage = Type.Object({
  epoch: Type.Integer(),
  rows: Type.Array(
    Type.Object({
      seq: Type.Integer(),
      actor: Type.String(),
      session: Type.String(),
      instance: Type.String(),
      kind: Type.String({ description: 'edit, carried or system.' }),
      policyRev: Type.Integer({ description: 'The permission revision that allowed it.' }),
      at: Timestamp,
      update: Type.String({ description: 'Yjs update (v1), base64.' }),
    }),
  ),
  next: Type.String({ description: 'The cursor to go on from.' }),
  head: Type.Integer({ description: 'The newest seq there is.' }),
});

export const StateHeaders = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ description: 'etag of the state you have: 304 if it is the newest.' }),
  ),
});

export const SubmitUpdateJson = Type.Object(
  {
    // Its characters are looked at where it is decoded: a pattern over megabytes overflows the stack.
    update: Type.String({ contentEncoding: 'base64', minLength: 4, description: 'Yjs update (v1), base64.' }),
  },
  exact,
);

export const Submitted = Type.Object({ cursor: Type.String({ description: 'Where it is in the log.' }) });

export const PresenceList = Type.Object({
  presence: Type.Array(
    Type.Object({
      user: Type.String(),
      name: Type.Optional(Type.String()),
      color: Type.Optional(Type.String()),
      session: Type.String(),
      instance: Type.String(),
      since: Timestamp,
    }),
  ),
});

export const PutGrantBody = Type.Object(
  {
    role: Type.String({ ...storable, minLength: 1, maxLength: 64 }),
    expiresAt: Type.Optional(Type.Union([Timestamp, Type.Null()])),
  },
  exact,
);

export const Grant = Type.Object({
  subject: Type.String(),
  role: Type.String(),
  expiresAt: Type.Union([Timestamp, Type.Null()]),
  createdBy: Type.String(),
  createdAt: Timestamp,
});

export const GrantList = Type.Object({ grants: Type.Array(Grant) });

const RoleRights = {
  read: Type.Boolean(),
  presence: Type.Boolean(),
  write: Type.Union([Type.Literal('*'), Type.Array(Type.String({ minLength: 1 }), { maxItems: 64 })], {
    description: 'The shared types that may be changed; * for all.',
  }),
  manage: Type.Boolean(),
};

export const PutRoleBody = Type.Object(RoleRights, exact);
export const Role = Type.Object({ name: Type.String(), ...RoleRights });
export const RoleList = Type.Object({ roles: Type.Array(Role) });
export const RoleParameters = Type.Object({
  role: Type.String({ ...storable, minLength: 1, maxLength: 64 }),
});

export const AuditQuery = Type.Object({
  document: Type.Optional(Type.String({ ...storable, maxLength: 255 })),
  actor: Type.Optional(Type.String({ ...storable, maxLength: 255 })),
  action: Type.Optional(Type.String({ ...storable, maxLength: 64 })),
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
});

export const AuditPage = Type.Object({
  entries: Type.Array(
    Type.Object({
      id: Type.Integer(),
      at: Timestamp,
      action: Type.String(),
      actor: Type.Optional(Type.String()),
      document: Type.Optional(Type.String()),
      session: Type.Optional(Type.String()),
      code: Type.Optional(Type.String({ description: 'Of the error table, when it was refused.' })),
      count: Type.Integer({ description: 'How often it happened within a second.' }),
      detail: Type.Optional(Type.Unknown()),
    }),
  ),
  next: Type.Integer(),
});

export const DevTokenBody = Type.Object(
  {
    sub: Type.String({ minLength: 1, maxLength: 255 }),
    name: Type.Optional(Type.String()),
    color: Type.Optional(Type.String()),
    tenant: Type.Optional(Type.String()),
    groups: Type.Optional(Type.Array(Type.String())),
    scope: Type.Optional(Type.String()),
    grants: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'Roles, by document name or prefix*.' }),
    ),
    expiresIn: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000, description: 'Seconds.' })),
  },
  exact,
);
export const DevToken = Type.Object({ token: Type.String() });

export const ErrorBody = Type.Object(
  {
    error: Type.Object(
      { code: Type.String(), message: Type.String() },
      { description: 'docs/ERRORS.md lists the codes.', additionalProperties: true },
    ),
  },
  { description: 'Refused; with the header Retry-After it may succeed later.' },
);

/** The answers of every route besides its own; a retryable code may come with a 5xx from each. */
export const Refusals = { '4xx': ErrorBody, '5xx': ErrorBody } as const;

export const NoContent = Type.Null({ description: 'Done.' });
