import type { Present } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Tip } from '../ui/tooltip.tsx';

const SHOWN = 4;

/** Everybody else who is here. Oneself is in the corner anyway. */
export function PeopleHere({ people }: { people: readonly Present[] }) {
  const others = people.filter(({ self }) => !self);
  const hidden = others.slice(SHOWN);
  return (
    <ul className="people-here" aria-label="People here">
      {others.slice(0, SHOWN).map(({ id, name, color }) => (
        <li key={id}>
          <Tip label={name}>
            <span className="people-here__person" role="img" aria-label={name} tabIndex={0}>
              <Avatar name={name} color={color} />
            </span>
          </Tip>
        </li>
      ))}
      {hidden.length > 0 && (
        <li>
          <Tip label={hidden.map(({ name }) => name).join(', ')}>
            <span
              className="people-here__person people-here__more"
              role="img"
              aria-label={`${hidden.length} more: ${hidden.map(({ name }) => name).join(', ')}`}
              tabIndex={0}
            >
              +{hidden.length}
            </span>
          </Tip>
        </li>
      )}
    </ul>
  );
}
