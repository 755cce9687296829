/**
 * Whether a key belongs to an input method: its Enter takes what is proposed and its Escape drops it, and neither is
 * meant for the page.
 */
export function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before it tells of the key that did it, and has only this number to say so.
  return event.isComposing || event.keyCode === 229;
}
