import { documentPath, onLinkClick } from '../router.ts';
import { NEUTRAL_COLOR } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import type { OpenDocument } from './cluster.ts';
import type { Titles } from './use-titles.ts';

export interface DocumentTableProps {
  readonly documents: readonly OpenDocument[];
  readonly titles: Titles;
}

export function DocumentTable({ documents, titles }: DocumentTableProps) {
  return (
    <div className="cluster__table" role="region" aria-labelledby="documents" tabIndex={0}>
      <table className="cluster__documents">
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
            <DocumentRow
              key={document.name}
              document={document}
              title={titles.get(document.name) ?? document.name}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DocumentRow({ document, title }: { document: OpenDocument; title: string }) {
  const { name, sessions, head, positions, people, present } = document;
  return (
    <tr>
      <th scope="row">
        <a href={documentPath(name)} onClick={onLinkClick}>
          {title}
        </a>
      </th>
      <td data-label="Sessions">{sessions}</td>
      <td data-label="Newest row">{head}</td>
      <td data-label="Where">
        <ul className="cluster__chips">
          {positions.map(({ instance, sessions: here, seq }) => (
            <li
              key={instance}
              className={seq < head ? 'cluster__chip cluster__chip--behind' : 'cluster__chip'}
            >
              <strong>{instance}</strong> {here} {here === 1 ? 'session' : 'sessions'}, row {seq}
            </li>
          ))}
        </ul>
      </td>
      <td data-label="Who">
        <ul className="cluster__chips">
          {people.map(({ session, user, name: shown = user, color = NEUTRAL_COLOR, instance }) => (
            <li key={session} className="cluster__person">
              <Avatar small name={shown} color={color} />
              <span>
                <bdi>{shown}</bdi> <span className="cluster__version">on {instance}</span>
              </span>
            </li>
          ))}
          {present > people.length && <li>and {present - people.length} more</li>}
        </ul>
      </td>
    </tr>
  );
}
