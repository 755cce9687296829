import { X } from 'lucide-react';
import { createContext, use, useCallback, useRef, useState, type ReactNode } from 'react';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'danger';
}

export type ShowToast = (text: string, options?: { tone: Toast['tone'] }) => void;

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
    (text, { tone } = { tone: 'plain' }) => {
      const id = nextId.current++;
      setToasts((shown) =>
        [...shown.filter((toast) => toast.text !== text), { id, text, tone }].slice(-MOST),
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
