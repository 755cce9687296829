import { Tooltip } from 'radix-ui';
import type { ReactNode } from 'react';
import { Shortcut } from './shortcut.tsx';

export interface TipProps {
  readonly label: string;
  readonly keys?: string | undefined;
  readonly side?: 'top' | 'bottom';
  readonly children: ReactNode;
}

/** Names what it wraps for the eye; the wrapped control carries its own accessible name. */
export function Tip({ label, keys, side = 'bottom', children }: TipProps) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" side={side} sideOffset={7} collisionPadding={8}>
          {label}
          {keys && <Shortcut keys={keys} />}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
