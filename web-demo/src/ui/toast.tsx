import { X } from 'lucide-react';
import { createContext, use, useCallback, useRef, useState, type ReactNode } from 'react';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'danger';
  /** What it is news of: older news of the same is wrong now. */
  readonly about?: string | undefined;
}

type ToastOptions = Partial<Pick<Toast, 'tone' | 'about'>>;
export type ShowToast = (text: string, options?: ToastOptions) => void;

const ToastContext = createContext<ShowToast>(() => undefined);
const SHOWN_MS = 6_000;
const MOST = 3;

export const useToast = (): ShowToast => use(ToastContext);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const nextId = useRef(0);

  const dismiss = useCallback((id: number) => {
    setToasts((shown) => shown.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback<ShowToast>(
    (text, { tone = 'plain', about } = {}) => {
      const id = nextId.current++;
      setToasts((shown) =>
        [...shown.filter((toast) => !isOutdated(toast, { text, about })), { id, text, tone, about }].slice(
          -MOST,
        ),
      );
      setTimeout(() => dismiss(id), SHOWN_MS);
    },
    [dismiss],
  );

  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="region" aria-label="Notifications" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast toast--${toast.tone}`}>
            <span>{toast.text}</span>
            <button
              type="button"
              className="toast__close"
              aria-label="Dismiss"
              onClick={() => dismiss(toast.id)}
            >
              <X />
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

function isOutdated(shown: Toast, { text, about }: Pick<Toast, 'text' | 'about'>): boolean {
  return shown.text === text || (about !== undefined && shown.about === about);
}
