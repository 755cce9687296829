import { ExternalLink } from 'lucide-react';
import { useIdentity } from '../identity/identity.tsx';
import { PEOPLE } from '../identity/people.ts';
import { Avatar } from './avatar.tsx';
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuSeparator } from './menu.tsx';
import { THEMES, useTheme, type Theme } from './theme.ts';

/** Who am I, and in which light. */
export function PersonMenu() {
  const { person, kind, become } = useIdentity();
  const [theme, setTheme] = useTheme();
  const trigger = (
    <button type="button" className="person-button" aria-label={`You are ${person.name}`}>
      <Avatar name={person.name} color={person.color} />
    </button>
  );
  return (
    <Menu trigger={trigger}>
      <div className="menu__who">
        <Avatar name={person.name} color={person.color} />
        <span>
          <strong dir="auto">{person.name}</strong>
          {person.groups.length > 0 && <span className="menu__hint">{person.groups.join(', ')}</span>}
        </span>
      </div>
      {kind === 'demo' && (
        <>
          <MenuSeparator />
          <MenuLabel>Be somebody else in this tab</MenuLabel>
          <MenuChoices
            label="Who you are"
            value={person.sub}
            onChange={become}
            options={PEOPLE.map((somebody) => ({
              value: somebody.sub,
              content: (
                <>
                  <Avatar name={somebody.name} color={somebody.color} small />
                  {somebody.name}
                </>
              ),
            }))}
          />
          <MenuItem icon={<ExternalLink />} onSelect={() => openAsNext(person.sub)}>
            Open this page as another person
          </MenuItem>
        </>
      )}
      <MenuSeparator />
      <MenuLabel>Theme</MenuLabel>
      <MenuChoices
        label="Theme"
        value={theme}
        onChange={(next) => setTheme(next as Theme)}
        options={THEMES.map(({ value, label }) => ({ value, content: label }))}
      />
    </Menu>
  );
}

function openAsNext(sub: string): void {
  const index = PEOPLE.findIndex((person) => person.sub === sub);
  const next = PEOPLE[(index + 1) % PEOPLE.length] ?? PEOPLE[0];
  window.open(`${location.pathname}?as=${next.sub}`, '_blank', 'noopener');
}
