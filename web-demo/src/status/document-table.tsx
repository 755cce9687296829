import { documentPath, onLinkClick } from '../router.ts';
import { NEUTRAL_COLOR } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import type { OpenDocument } from './cluster.ts';

export function DocumentTable({ documents }: { documents: readonly OpenDocument[] }) {
  return (
    <div className="cluster__table" role="region" aria-labelledby="documents" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Document</th>
            <th scope="col">Sessions</th>
            <th scope="col">Newest row</th>
            <th scope="col">Where</th>
            <th scope="col">Who</th>
          </tr>
        </thead>
        <tbody>
          {documents.map((document) => (
            <DocumentRow key={document.name} document={document} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DocumentRow({ document }: { document: OpenDocument }) {
  const { name, sessions, head, positions, people, present } = document;
  return (
    <tr>
      <th scope="row">
        <a href={documentPath(name)} onClick={onLinkClick}>
          {name}
        </a>
      </th>
      <td>{sessions}</td>
      <td>{head}</td>
      <td>
        <ul className="cluster__chips">
          {positions.map(({ instance, sessions: here, seq }) => (
            <li
              key={instance}
              className={seq < head ? 'cluster__chip cluster__chip--behind' : 'cluster__chip'}
            >
              <strong>{instance}</strong> {here} at {seq}
            </li>
          ))}
        </ul>
      </td>
      <td>
        <ul className="cluster__chips">
          {people.map(({ session, user, name: shown = user, color = NEUTRAL_COLOR, instance }) => (
            <li key={session} className="cluster__person">
              <Avatar small name={shown} color={color} />
              {shown} <span className="cluster__version">on {instance}</span>
            </li>
          ))}
          {present > people.length && <li>and {present - people.length} more</li>}
        </ul>
      </td>
    </tr>
  );
}
