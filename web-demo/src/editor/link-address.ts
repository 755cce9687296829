const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const ALLOWED = new Set(['http:', 'https:', 'mailto:']);

/** The address to link to; `undefined` for what is none, or could run a script in the reader's page. */
export function linkAddress(input: string): string | undefined {
  const text = input.trim();
  if (text === '' || /\s/.test(text)) return undefined;
  const address = SCHEME.test(text) && !/^[\w.-]+:\d/.test(text) ? text : `https://${text}`;
  const url = URL.parse(address);
  return url && ALLOWED.has(url.protocol) ? address : undefined;
}
