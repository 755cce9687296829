import { inkOn } from './color.ts';

export interface AvatarProps {
  readonly name: string;
  readonly color: string;
  readonly small?: boolean;
}

/** Decoration beside a name, or inside a control that names the person. */
export function Avatar({ name, color, small = false }: AvatarProps) {
  const initial = [...name.trim()][0]?.toLocaleUpperCase() ?? '?';
  return (
    <span
      className={small ? 'avatar avatar--small' : 'avatar'}
      style={{ backgroundColor: color, color: inkOn(color) }}
      aria-hidden="true"
    >
      {initial}
    </span>
  );
}
