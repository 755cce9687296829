/** As little as is needed, and without motion for those who ask for none: a style sheet does not reach this. */
export function scrollIntoSight(element: Element): void {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block: 'nearest', behavior: still ? 'instant' : 'smooth' });
}
