import { Popover } from 'radix-ui';
import { useId } from 'react';
import type { Present } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Tip } from '../ui/tooltip.tsx';
import { useMedia } from '../ui/use-media.ts';

const SHOWN = 4;
const SHOWN_NARROW = 1;

/** Everybody else who is here. Oneself is in the corner anyway. */
export function PeopleHere({ people }: { people: readonly Present[] }) {
  const room = useMedia('(width < 680px)') ? SHOWN_NARROW : SHOWN;
  const others = people.filter(({ self }) => !self);
  // One more takes the room that the number would.
  const shown = others.length === room + 1 ? others : others.slice(0, room);
  return (
    <ul className="people-here" aria-label="People here">
      {shown.map(({ id, name, color }) => (
        <li key={id}>
          <Tip label={name}>
            <span className="people-here__person" role="img" aria-label={name} tabIndex={0}>
              <Avatar name={name} color={color} />
            </span>
          </Tip>
        </li>
      ))}
      {others.length > shown.length && (
        <li>
          <Everybody people={others} more={others.length - shown.length} />
        </li>
      )}
    </ul>
  );
}

function Everybody({ people, more }: { people: readonly Present[]; more: number }) {
  const title = useId();
  return (
    <Popover.Root>
      <Popover.Trigger className="people-here__person people-here__more" aria-label={`${more} more people`}>
        +{more}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover everybody"
          aria-labelledby={title}
          align="end"
          sideOffset={8}
          collisionPadding={8}
        >
          <h2 className="everybody__title" id={title}>
            {people.length} others are here
          </h2>
          <ul>
            {people.map(({ id, name, color }) => (
              <li key={id} className="everybody__person">
                <Avatar small name={name} color={color} />
                <span>{name}</span>
              </li>
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
