const DYES = ['indigo', 'madder', 'weld', 'woad', 'walnut', 'cochineal'] as const;
const THREADS = 5;
const PITCH = 8;

/** A small weave that is the same for the same document everywhere: easier to find again than a title. */
export function Swatch({ seed }: { seed: string }) {
  const hash = hashOf(seed);
  const warp = DYES[hash % DYES.length] ?? DYES[0];
  const weft = DYES[(hash + 1 + ((hash >>> 8) % (DYES.length - 1))) % DYES.length] ?? DYES[1];
  const step = 1 + ((hash >>> 16) % 2);
  const cells = Array.from({ length: THREADS * THREADS }, (_, index) => {
    const row = Math.floor(index / THREADS);
    const column = index % THREADS;
    return { row, column, weftOnTop: (column + row * step) % (step + 1) === 0 };
  });
  return (
    <svg className="swatch" viewBox="0 0 40 40" aria-hidden="true">
      {cells.map(({ row, column, weftOnTop }) => (
        <rect
          key={`${row}:${column}`}
          className={`dye dye--${weftOnTop ? weft : warp}`}
          x={column * PITCH + (weftOnTop ? 0 : 1)}
          y={row * PITCH + (weftOnTop ? 1 : 0)}
          width={weftOnTop ? PITCH : PITCH - 2}
          height={weftOnTop ? PITCH - 2 : PITCH}
        />
      ))}
    </svg>
  );
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  // Similar names must not look alike: spread what the last characters changed. (MurmurHash3's finalizer.)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
