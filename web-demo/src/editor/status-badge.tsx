import { CloudAlert, CloudCheck, CloudOff, CloudUpload, Eye, LoaderCircle, LockKeyhole } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { Status, StatusKind } from '../session/status.ts';
import { useSettled } from './use-settled.ts';
import { useSpoken } from './use-spoken.ts';

const ICONS: Record<StatusKind, LucideIcon> = {
  connecting: LoaderCircle,
  saved: CloudCheck,
  saving: CloudUpload,
  'not-saved': CloudAlert,
  offline: CloudOff,
  'read-only': Eye,
  'access-removed': LockKeyhole,
  closed: CloudAlert,
};

export function StatusBadge({ status }: { status: Status }) {
  const shown = useSettled(status);
  const spoken = useSpoken(shown);
  const Icon = ICONS[shown.kind];
  return (
    <>
      <p className={`status status--${shown.kind}`} data-status={shown.kind} data-short={shown.short}>
        <Icon aria-hidden="true" />
        <span className="status__label">{shown.label}</span>
      </p>
      <span className="sr-only" role="status">
        {spoken}
      </span>
    </>
  );
}
