export function LogoMark() {
  return (
    <svg className="logo-mark" viewBox="0 0 32 32" aria-hidden="true">
      <g fill="none" strokeLinecap="round" strokeWidth="3.4">
        <path className="logo-mark__warp" d="M9 4v24M16 4v24M23 4v24" />
        <path className="logo-mark__weft" d="M4 9.5h8M20 9.5h8M4 22.5h8M20 22.5h8" />
        <path className="logo-mark__thread" d="M4 16h1.5M12.7 16h6.6M26.5 16H28" />
      </g>
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="wordmark">
      <LogoMark />
      Weft
    </span>
  );
}
