import { useEffect, useRef, type ReactNode } from 'react';

export interface MessagePageProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}

/** A full page that says what happened and what can be done. */
export function MessagePage({ title, children, actions }: MessagePageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // What had the focus is gone: it is read aloud what took its place.
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <main className="message-page">
      <Loom />
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <div className="message-page__text">{children}</div>
      {actions && <div className="message-page__actions">{actions}</div>}
    </main>
  );
}

/** Threads on a loom, the last one still loose. */
export function Loom() {
  const warp = [24, 44, 64, 84, 104, 124];
  const weft = [
    { y: 26, dye: 'indigo' },
    { y: 42, dye: 'weld' },
    { y: 58, dye: 'madder' },
  ];
  return (
    <svg className="loom" viewBox="0 0 148 96" aria-hidden="true">
      {warp.map((x) => (
        <line key={x} className="loom__warp" x1={x} x2={x} y1="8" y2="88" />
      ))}
      {weft.map(({ y, dye }, row) => (
        <g key={y} className={`loom__weft dye-stroke--${dye}`}>
          {warp.map((x, column) =>
            (row + column) % 2 === 0 ? (
              <line key={x} x1={x - 9} x2={x + 9} y1={y} y2={y} />
            ) : (
              <g key={x}>
                <line x1={x - 10} x2={x - 5} y1={y} y2={y} />
                <line x1={x + 5} x2={x + 10} y1={y} y2={y} />
              </g>
            ),
          )}
        </g>
      ))}
      <path className="loom__weft dye-stroke--indigo" d="M14 74h52c12 0 12 12 24 12s12-10 26-8" />
    </svg>
  );
}
