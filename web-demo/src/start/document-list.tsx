import { Link2, MoreHorizontal, PencilLine, Trash2 } from 'lucide-react';
import type { DocumentSummary } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';
import { nameOfUser } from '../identity/people.ts';
import { documentPath, onLinkClick } from '../router.ts';
import { roleLabel, roleManages, roleWrites } from '../share/roles.ts';
import { copyText } from '../ui/clipboard.ts';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { Swatch } from '../ui/swatch.tsx';
import { TimeAgo } from '../ui/time-ago.tsx';
import { useToast } from '../ui/toast.tsx';

export interface DocumentListProps {
  readonly documents: readonly DocumentSummary[];
  readonly onRename: (document: DocumentSummary) => void;
  readonly onDelete: (document: DocumentSummary) => void;
}

export function DocumentList({ documents, ...actions }: DocumentListProps) {
  return (
    <ul className="document-list" aria-label="Documents">
      {documents.map((document) => (
        <DocumentRow key={document.name} document={document} {...actions} />
      ))}
    </ul>
  );
}

interface DocumentRowProps extends Omit<DocumentListProps, 'documents'> {
  readonly document: DocumentSummary;
}

function DocumentRow({ document, onRename, onDelete }: DocumentRowProps) {
  const { person } = useIdentity();
  const toast = useToast();
  const path = documentPath(document.name);
  const { title } = document;
  const maker = document.createdBy === person.sub ? 'you' : nameOfUser(document.createdBy);

  const copyLink = (): void => {
    copyText(new URL(path, location.href).href).then(
      () => toast('Link copied'),
      () => toast('The browser does not allow copying.', { tone: 'danger' }),
    );
  };

  return (
    <li className="document-row">
      <Swatch seed={document.name} />
      <div className="document-row__text">
        <a className="document-row__title" dir="auto" href={path} onClick={onLinkClick}>
          {title}
        </a>
        <p className="document-row__meta">
          <span>
            Edited <TimeAgo at={document.updatedAt} />
          </span>
          <span>
            Made by <bdi>{maker}</bdi>
          </span>
        </p>
      </div>
      <span className={`role-badge role-badge--${document.role ?? 'none'}`}>{roleLabel(document.role)}</span>
      <Menu
        trigger={
          <button
            type="button"
            className="icon-button document-row__more"
            aria-label={`Actions for ${title}`}
          >
            <MoreHorizontal />
          </button>
        }
      >
        <MenuItem
          icon={<PencilLine />}
          disabled={!roleWrites(document.role)}
          onSelect={() => onRename(document)}
        >
          Rename
        </MenuItem>
        <MenuItem icon={<Link2 />} onSelect={copyLink}>
          Copy link
        </MenuItem>
        {roleManages(document.role) && (
          <>
            <MenuSeparator />
            <MenuItem icon={<Trash2 />} danger onSelect={() => onDelete(document)}>
              Delete
            </MenuItem>
          </>
        )}
      </Menu>
    </li>
  );
}
