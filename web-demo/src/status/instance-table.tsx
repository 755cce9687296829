import { duration, latency, megabytes, type Instance } from './cluster.ts';

const STATES = {
  ready: { label: 'Ready', tone: 'good' },
  degraded: { label: 'Cannot save', tone: 'danger' },
  draining: { label: 'Draining', tone: 'warn' },
  silent: { label: 'Silent', tone: 'danger' },
} as const satisfies Record<Instance['state'], { label: string; tone: string }>;

const REDIS = { none: 'Single', connected: 'Linked', away: 'Away' } as const;

export function InstanceTable({ instances }: { instances: readonly Instance[] }) {
  return (
    <div className="cluster__table" role="region" aria-labelledby="instances" tabIndex={0}>
      <table className="cluster__instances">
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col">State</th>
            <th scope="col">Redis</th>
            <th scope="col">Up</th>
            <th scope="col">Connections</th>
            <th scope="col">Sessions</th>
            <th scope="col">Documents</th>
            <th scope="col">Updates/s</th>
            <th scope="col">Commit p50</th>
            <th scope="col">p99</th>
            <th scope="col">
              <abbr title="Rows of the log that are not in its memory yet">Lag</abbr>
            </th>
            <th scope="col">CPU</th>
            <th scope="col">Memory</th>
          </tr>
        </thead>
        <tbody>
          {instances.map((instance) => (
            <InstanceRow key={instance.id} instance={instance} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function InstanceRow({ instance }: { instance: Instance }) {
  const { label, tone } = STATES[instance.state];
  const silent = instance.state === 'silent';
  return (
    <tr className={silent ? 'cluster__silent' : undefined}>
      <th scope="row">
        {instance.id} <span className="cluster__version">{instance.version}</span>
      </th>
      <td>
        <span className={`cluster__badge cluster__badge--${tone}`}>
          {silent ? `${label} for ${duration(instance.age)}` : label}
        </span>
      </td>
      <td data-label="Redis" className={instance.redis === 'away' ? 'cluster__alert' : undefined}>
        {REDIS[instance.redis]}
      </td>
      <td data-label="Up">{silent ? '–' : duration(Date.now() - instance.startedAt)}</td>
      <td data-label="Connections">{instance.connections}</td>
      <td data-label="Sessions">{instance.sessions}</td>
      <td data-label="Documents">{instance.documents}</td>
      <td data-label="Updates/s">{instance.updatesPerSecond.toFixed(1)}</td>
      <td data-label="Commit p50">{latency(instance.commitP50)}</td>
      <td data-label="p99">{latency(instance.commitP99)}</td>
      <td data-label="Lag">{instance.lag ?? '–'}</td>
      <td data-label="CPU">{Math.round(instance.cpu * 100)} %</td>
      <td data-label="Memory">{megabytes(instance.memoryBytes)}</td>
    </tr>
  );
}
