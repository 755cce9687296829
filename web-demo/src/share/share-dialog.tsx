import { Check, Link2 } from 'lucide-react';
import { useState } from 'react';
import type { Grant } from '../api/types.ts';
import { useIdentity } from '../identity/identity.tsx';
import { documentPath } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/clipboard.ts';
import { DialogActions, Modal } from '../ui/dialog.tsx';
import { SelectField } from '../ui/select.tsx';
import { untilTime } from '../ui/time.ts';
import { withExpiry } from './expiry.ts';
import { GrantMenu, GrantRow, SubjectIcon } from './grant-row.tsx';
import { InviteForm } from './invite-form.tsx';
import { OwnAccessDialog } from './own-access-dialog.tsx';
import { EVERYBODY, kindOf, LINK, nameOfSubject } from './subject.ts';
import { useGrants, type Grants } from './use-grants.ts';

export interface ShareDialogProps {
  readonly name: string;
  readonly title: string;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function ShareDialog({ name, title, open, onClose }: ShareDialogProps) {
  return (
    <Modal open={open} wide title={`Share “${title}”`} onClose={onClose}>
      <ShareForm name={name} onClose={onClose} />
    </Modal>
  );
}

function ShareForm({ name, onClose }: { name: string; readonly onClose: () => void }) {
  const { person } = useIdentity();
  const grants = useGrants(name);
  const [ownChange, setOwnChange] = useState<() => void>();
  const invited = grants.grants?.filter(({ subject }) => isNamed(subject)).sort(peopleFirst);

  return (
    <>
      <InviteForm known={invited?.map(({ subject }) => subject) ?? []} onInvite={grants.put} />
      {grants.failure && (
        <p className="field-error" role="alert">
          {grants.failure}
        </p>
      )}
      <h3 className="share__heading">People with access</h3>
      <ul className="grants" aria-label="People with access" aria-busy={!invited}>
        {invited?.map((grant) => {
          const { subject } = grant;
          const self = subject === `user:${person.sub}`;
          const change = (act: () => void): void => (self ? setOwnChange(() => act) : act());
          return (
            <GrantRow
              key={subject}
              grant={grant}
              self={self}
              onChange={(next) => change(() => grants.put(subject, next))}
              onRemove={() => change(() => grants.remove(subject))}
            />
          );
        })}
      </ul>
      <h3 className="share__heading">General access</h3>
      <ul className="grants" aria-label="General access">
        <GeneralRow
          subject={EVERYBODY}
          name="Everyone in the workspace"
          hint="finds it in the list"
          grants={grants}
        />
        <GeneralRow subject={LINK} name="Anyone with the link" hint="who is signed in" grants={grants} />
      </ul>
      {ownChange && <OwnAccessDialog onConfirm={ownChange} onClose={() => setOwnChange(undefined)} />}
      <DialogActions>
        <CopyLink name={name} />
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}

function isNamed(subject: string): boolean {
  const kind = kindOf(subject);
  return kind === 'user' || kind === 'group';
}

function peopleFirst(one: Grant, other: Grant): number {
  const place = ({ subject }: Grant): number => (kindOf(subject) === 'user' ? 0 : 1);
  return place(one) - place(other) || nameOfSubject(one.subject).localeCompare(nameOfSubject(other.subject));
}

const NOBODY = 'none';
/** Owners are named: nobody becomes one by being in the workspace. */
const GENERAL_ROLES = [
  { value: NOBODY, label: 'No access' },
  { value: 'viewer', label: 'Viewer', hint: 'reads' },
  { value: 'commenter', label: 'Commenter', hint: 'reads and comments' },
  { value: 'editor', label: 'Editor', hint: 'writes' },
];

interface GeneralRowProps {
  readonly subject: string;
  readonly name: string;
  readonly hint: string;
  readonly grants: Grants;
}

function GeneralRow({ subject, name, hint, grants }: GeneralRowProps) {
  const grant = grants.grants?.find((each) => each.subject === subject);
  const choose = (role: string): void => {
    if (role === NOBODY) grants.remove(subject);
    else grants.put(subject, withExpiry(role, grant?.expiresAt));
  };
  return (
    <li className="grant" aria-label={name}>
      <SubjectIcon subject={subject} />
      <div className="grant__who">
        <span className="grant__name">{name}</span>
        <span className="grant__until">
          {hint}
          {grant?.expiresAt && `, until ${untilTime(new Date(grant.expiresAt))}`}
        </span>
      </div>
      <SelectField
        quiet
        label={`Role of ${name}`}
        value={grant?.role ?? NOBODY}
        options={GENERAL_ROLES}
        disabled={!grants.grants}
        onChange={choose}
      />
      {grant && (
        <GrantMenu
          name={name}
          grant={grant}
          onChange={(next) => grants.put(subject, next)}
          onRemove={() => grants.remove(subject)}
        />
      )}
    </li>
  );
}

function CopyLink({ name }: { name: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    const link = new URL(documentPath(name), location.href).href;
    copyText(link).then(
      () => setCopied(true),
      () => window.prompt('Copy the link', link),
    );
  };
  return (
    <Button className="share__copy" onClick={copy}>
      {copied ? <Check /> : <Link2 />}
      {copied ? 'Link copied' : 'Copy link'}
    </Button>
  );
}
