import type { ComponentProps } from 'react';
import { Tip } from './tooltip.tsx';

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger';

export interface ButtonProps extends ComponentProps<'button'> {
  readonly variant?: Variant;
  readonly small?: boolean;
}

export function Button({ variant = 'secondary', small = false, className = '', ...props }: ButtonProps) {
  const size = small ? 'button--small' : '';
  return <button type="button" className={`button button--${variant} ${size} ${className}`} {...props} />;
}

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'aria-label'> {
  readonly label: string;
  readonly keys?: string;
}

/** A button that shows only an icon: named for screen readers, and by a tooltip for everybody else. */
export function IconButton({ label, keys, className = '', ...props }: IconButtonProps) {
  return (
    <Tip label={label} keys={keys}>
      <button type="button" className={`icon-button ${className}`} aria-label={label} {...props} />
    </Tip>
  );
}
