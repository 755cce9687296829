/** Without motion for those who ask for none: a style sheet does not reach this. By default as little as is needed. */
export function scrollIntoSight(element: Element, block: 'nearest' | 'center' = 'nearest'): void {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block, behavior: still ? 'instant' : 'smooth' });
}
