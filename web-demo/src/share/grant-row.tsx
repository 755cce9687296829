import { Building2, CalendarClock, Link2, MoreHorizontal, UserMinus, UsersRound } from 'lucide-react';
import type { Grant, GrantInput } from '../api/types.ts';
import { personOf } from '../identity/people.ts';
import { NEUTRAL_COLOR } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '../ui/menu.tsx';
import { SelectField, type SelectOption } from '../ui/select.tsx';
import { untilTime } from '../ui/time.ts';
import { EXPIRIES, expiryAfter, withExpiry } from './expiry.ts';
import { ROLES } from './roles.ts';
import { kindOf, nameOfSubject } from './subject.ts';

export interface GrantRowProps {
  readonly grant: Grant;
  readonly self: boolean;
  readonly onChange: (grant: GrantInput) => void;
  readonly onRemove: () => void;
}

export function GrantRow({ grant, self, onChange, onRemove }: GrantRowProps) {
  const { subject, role, expiresAt } = grant;
  const name = nameOfSubject(subject);
  return (
    <li className="grant" aria-label={name}>
      <SubjectIcon subject={subject} />
      <div className="grant__who">
        <span className="grant__name">
          <bdi>{name}</bdi>
          {self && <span className="grant__you"> (you)</span>}
        </span>
        {expiresAt && <span className="grant__until">until {untilTime(new Date(expiresAt))}</span>}
      </div>
      <SelectField
        quiet
        label={`Role of ${name}`}
        value={role}
        options={optionsWith(role)}
        onChange={(next) => onChange(withExpiry(next, expiresAt))}
      />
      <GrantMenu name={name} grant={grant} onChange={onChange} onRemove={onRemove} />
    </li>
  );
}

export interface GrantMenuProps extends Omit<GrantRowProps, 'self'> {
  readonly name: string;
}

/** How long it lasts, and its end. */
export function GrantMenu({ name, grant, onChange, onRemove }: GrantMenuProps) {
  const trigger = (
    <button type="button" className="icon-button" aria-label={`More for ${name}`}>
      <MoreHorizontal />
    </button>
  );
  return (
    <Menu trigger={trigger}>
      <MenuLabel>Access lasts</MenuLabel>
      {EXPIRIES.map(({ value, label }) => (
        <MenuItem
          key={value}
          icon={<CalendarClock />}
          onSelect={() => onChange(withExpiry(grant.role, expiryAfter(value, new Date())))}
        >
          {label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={<UserMinus />} danger onSelect={onRemove}>
        Remove access
      </MenuItem>
    </Menu>
  );
}

export function SubjectIcon({ subject }: { subject: string }) {
  const kind = kindOf(subject);
  if (kind === 'user') {
    const person = personOf(subject.slice('user:'.length));
    return <Avatar name={nameOfSubject(subject)} color={person?.color ?? NEUTRAL_COLOR} />;
  }
  const Icon = kind === 'group' ? UsersRound : kind === 'link' ? Link2 : Building2;
  return (
    <span className="subject-icon" aria-hidden="true">
      <Icon />
    </span>
  );
}

/** A role that the server defines and this page does not know must not vanish from the list. */
function optionsWith(role: string): readonly SelectOption[] {
  return ROLES.some(({ value }) => value === role) ? ROLES : [...ROLES, { value: role, label: role }];
}
