import { useId, useState, type FormEvent } from 'react';
import { GROUPS, PEOPLE } from '../identity/people.ts';
import { Button } from '../ui/button.tsx';
import { hasFinePointer } from '../ui/pointer.ts';
import { SelectField } from '../ui/select.tsx';
import { EXPIRIES, expiryAfter } from './expiry.ts';
import { ROLES } from './roles.ts';
import { nameOfSubject } from './subject.ts';

export interface InviteFormProps {
  /** Subjects that have a grant already: they are not proposed again. */
  readonly known: readonly string[];
  readonly onInvite: (subject: string, grant: { role: string; expiresAt?: string }) => void;
}

export function InviteForm({ known, onInvite }: InviteFormProps) {
  const [who, setWho] = useState('');
  const [role, setRole] = useState('editor');
  const [expiry, setExpiry] = useState('never');
  const suggestions = useId();

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const subject = subjectOf(who);
    if (!subject) return;
    const expiresAt = expiryAfter(expiry, new Date());
    onInvite(subject, expiresAt === undefined ? { role } : { role, expiresAt });
    setWho('');
    setExpiry('never');
  };

  return (
    <form className="invite" onSubmit={submit}>
      <input
        className="invite__who"
        aria-label="Person or group"
        placeholder="Add a person or group"
        data-autofocus={hasFinePointer() || undefined}
        list={suggestions}
        autoComplete="off"
        value={who}
        onChange={(event) => setWho(event.target.value)}
      />
      <datalist id={suggestions}>
        {PEOPLE.filter(({ sub }) => !known.includes(`user:${sub}`)).map(({ sub, name }) => (
          <option key={sub} value={name} />
        ))}
        {GROUPS.filter((group) => !known.includes(`group:${group}`)).map((group) => (
          <option key={group} value={nameOfSubject(`group:${group}`)} />
        ))}
      </datalist>
      <div className="invite__row">
        <SelectField label="Role" value={role} options={ROLES} onChange={setRole} />
        <SelectField label="Until" value={expiry} options={EXPIRIES} onChange={setExpiry} />
        <Button type="submit" variant="primary" disabled={!subjectOf(who)}>
          Add
        </Button>
      </div>
    </form>
  );
}

/** A known name, `group:…`, or the id of a person as the tokens have it. */
function subjectOf(input: string): string | undefined {
  const text = input.trim();
  if (text === '' || text === 'group:' || text === 'user:') return undefined;
  if (text.startsWith('group:') || text.startsWith('user:')) return text;
  const person = PEOPLE.find(({ name }) => isCalled(name, text));
  if (person) return `user:${person.sub}`;
  const group = GROUPS.find((each) => isCalled(nameOfSubject(`group:${each}`), text));
  return group === undefined ? `user:${text}` : `group:${group}`;
}

function isCalled(name: string, text: string): boolean {
  return name.toLowerCase() === text.toLowerCase();
}
