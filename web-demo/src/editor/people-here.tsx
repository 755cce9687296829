import { Popover } from 'radix-ui';
import { useId, useState } from 'react';
import type { Present } from '../session/presence.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Tip } from '../ui/tooltip.tsx';
import { useMedia } from '../ui/use-media.ts';

const SHOWN = 4;
const SHOWN_NARROW = 1;

export interface PeopleHereProps {
  readonly people: readonly Present[];
  /** Somebody is looked for. */
  readonly onPerson: (person: Present) => void;
}

/** Everybody else who is here, and the way to where they write. Oneself is in the corner anyway. */
export function PeopleHere({ people, onPerson }: PeopleHereProps) {
  const room = useMedia('(width < 680px)') ? SHOWN_NARROW : SHOWN;
  const others = people.filter(({ self }) => !self);
  // One more takes the room that the number would. Where not all have room, those at work have it.
  const shown = others.length <= room + 1 ? others : writersFirst(others).slice(0, room);
  return (
    <ul className="people-here" aria-label="People here">
      {shown.map((person) => (
        <li key={person.id}>
          <Tip label={wayTo(person)}>
            <button
              type="button"
              className="people-here__person"
              aria-label={wayTo(person)}
              // One's own caret must survive the click.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => onPerson(person)}
            >
              <Avatar name={person.name} color={person.color} />
            </button>
          </Tip>
        </li>
      ))}
      {others.length > shown.length && (
        <li>
          <Everybody people={others} more={others.length - shown.length} onPerson={onPerson} />
        </li>
      )}
    </ul>
  );
}

function writersFirst(people: readonly Present[]): Present[] {
  return people.toSorted((one, other) => Number(other.caret) - Number(one.caret));
}

function wayTo({ name, caret }: Present): string {
  return caret ? `${name}: go to their caret` : `${name}, without a caret in the text`;
}

function Everybody({ people, more, onPerson }: PeopleHereProps & { readonly more: number }) {
  const title = useId();
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
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
            {people.map((person) => (
              <li key={person.id}>
                <button
                  type="button"
                  className="everybody__person"
                  aria-label={wayTo(person)}
                  onClick={() => {
                    setOpen(false);
                    onPerson(person);
                  }}
                >
                  <Avatar small name={person.name} color={person.color} />
                  <span className="everybody__text">
                    <bdi>{person.name}</bdi>
                    {!person.caret && <span className="everybody__note">no caret in the text</span>}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
