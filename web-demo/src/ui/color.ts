/** WCAG relative luminance of `#rrggbb`. https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: string): number {
  const channels = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = channels;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever can be read on `color`. People choose their colours; text must stay readable. */
export function inkOn(color: string): '#ffffff' | '#16130f' {
  const light = luminance(color);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.0565 ? '#ffffff' : '#16130f';
}
