/** The sample people of the demo. In production people come from the token. */
export interface Person {
  readonly sub: string;
  readonly name: string;
  /** Dark enough for white text on it (WCAG AA). */
  readonly color: string;
  readonly groups: readonly string[];
}

export const PEOPLE: readonly [Person, ...Person[]] = [
  { sub: 'ada', name: 'Ada', color: '#4149c4', groups: ['editorial'] },
  { sub: 'grace', name: 'Grace', color: '#b0402a', groups: ['editorial'] },
  { sub: 'mira', name: 'Mira', color: '#0d7568', groups: ['design'] },
  { sub: 'tomas', name: 'Tomas', color: '#86600a', groups: ['design'] },
  { sub: 'yuki', name: 'Yuki', color: '#a02a6c', groups: [] },
  { sub: 'omar', name: 'Omar', color: '#1c6aa8', groups: [] },
];

export const GROUPS: readonly string[] = ['editorial', 'design'];

export function personOf(sub: string): Person | undefined {
  return PEOPLE.find((person) => person.sub === sub);
}

/** The name people know somebody by; the id where there is none. */
export function nameOfUser(sub: string): string {
  return personOf(sub)?.name ?? sub;
}
