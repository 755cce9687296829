import { Type, type TSchema } from 'typebox';

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const RedisState = Type.Union([Type.Literal('none'), Type.Literal('connected'), Type.Literal('away')], {
  description: 'none: a single instance.',
});

const Instance = Type.Object({
  id: Type.String(),
  version: Type.String(),
  state: Type.Union(
    [Type.Literal('ready'), Type.Literal('degraded'), Type.Literal('draining'), Type.Literal('silent')],
    {
      description:
        'degraded: its database does not answer, or takes nothing. silent: it has not reported for five seconds.',
    },
  ),
  age: Type.Number({ description: 'Milliseconds since it reported.' }),
  startedAt: Type.Number({ description: 'Milliseconds since 1970.' }),
  redis: RedisState,
  connections: Type.Integer(),
  sessions: Type.Integer(),
  documents: Type.Integer(),
  updatesPerSecond: Type.Number({ description: 'Of the last ten seconds, like the commits.' }),
  commitP50: Nullable(Type.Number({ description: 'Milliseconds.' })),
  commitP99: Nullable(Type.Number({ description: 'Milliseconds.' })),
  lag: Nullable(
    Type.Integer({
      description: 'Rows of the log not in memory, of the document furthest behind; null: unknown.',
    }),
  ),
  cpu: Type.Number({ description: 'Share of one core.' }),
  memoryBytes: Type.Integer(),
});

const OpenDocument = Type.Object({
  name: Type.String(),
  sessions: Type.Integer(),
  head: Type.Integer({ description: 'The newest row that is known of.' }),
  positions: Type.Array(
    Type.Object({ instance: Type.String(), sessions: Type.Integer(), seq: Type.Integer() }),
  ),
  present: Type.Integer(),
  people: Type.Array(
    Type.Object({
      user: Type.String(),
      name: Type.Optional(Type.String()),
      color: Type.Optional(Type.String()),
      session: Type.String(),
      instance: Type.String(),
      since: Type.String({ format: 'date-time' }),
    }),
    { description: 'The first twenty.' },
  ),
});

export const ClusterStatusBody = Type.Object({
  redis: RedisState,
  instances: Type.Array(Instance),
  documents: Type.Array(OpenDocument, { description: 'The fifty with the most sessions.' }),
  more: Type.Integer({ description: 'Documents that are not shown.' }),
});
